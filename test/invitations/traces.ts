import { expect } from 'vitest';
import { createResource } from '../resources/support.js';
import { anyEmail } from '../support/actors.js';
import type { LeaveTraces } from '../support/every-trace.js';
import { invite } from './support.js';

export const leaveTraces: LeaveTraces = async (app, person) => {
  const { id } = await createResource(app, person);
  expect((await invite(app, person, id, anyEmail())).status).toBe(202);
};
