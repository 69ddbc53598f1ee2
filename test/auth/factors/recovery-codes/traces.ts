import { randomBytes } from 'node:crypto';
import { Database } from '../../../../src/database/index.js';
import type { LeaveTraces } from '../../../support/every-trace.js';

export const leaveTraces: LeaveTraces = async (app, { userId }) => {
  const { client } = app.on(0).service.app.get(Database, { strict: false });
  await client.recoveryCode.create({ data: { userId, hash: randomBytes(48).toString('base64url') } });
};
