import { randomBytes } from 'node:crypto';
import { Database } from '../../../../src/database/index.js';
import type { LeaveTraces } from '../../../support/every-trace.js';

// Rows alone, without an enrolment, which would demand the factor of the person's session.
export const leaveTraces: LeaveTraces = async (app, { userId }) => {
  const { client } = app.on(0).service.app.get(Database, { strict: false });
  const secret = randomBytes(20).toString('hex');
  await client.totpAuthenticator.create({ data: { userId, secret, confirmedAt: new Date() } });
};
