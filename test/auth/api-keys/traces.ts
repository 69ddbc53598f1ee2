import { expect } from 'vitest';
import { machineScopes } from '../../../src/common/access/access.decorators.js';
import { permissions } from '../../../src/common/access/permissions.js';
import type { LeaveTraces } from '../../support/every-trace.js';
import { askForKey } from './keys.js';

export const leaveTraces: LeaveTraces = async (app, person) => {
  const mine = permissions().filter(({ name, roles }) => machineScopes.includes(name) && roles.includes('user'));
  const { status } = await askForKey(app, person, { scopes: mine.map(({ name }) => name) });
  expect(status).toBe(201);
};
