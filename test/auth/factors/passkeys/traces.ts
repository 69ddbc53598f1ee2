import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import { Database } from '../../../../src/database/index.js';
import type { LeaveTraces } from '../../../support/every-trace.js';
import { registrationOptions } from './ceremonies.js';

// The row alone, without an enrolment, which would demand the factor of the person's session.
export const leaveTraces: LeaveTraces = async (app, { userId, token }) => {
  const { client } = app.on(0).service.app.get(Database, { strict: false });
  const key = () => randomBytes(48).toString('base64url');
  await client.passkey.create({ data: { userId, credentialId: key(), publicKey: key(), name: 'planted' } });
  expect(await registrationOptions(app, token)).toHaveProperty('challenge');
};
