import { randomBytes, randomUUIDv7 } from 'node:crypto';
import { Database } from '../../../src/database/index.js';
import type { LeaveTraces } from '../../support/every-trace.js';

// A token of somebody's, whichever features hand any out.
export const leaveTraces: LeaveTraces = async (app, { userId }) => {
  const { client } = app.on(0).service.app.get(Database, { strict: false });
  const tokenMac = `trace.${randomBytes(32).toString('base64url')}`;
  const expiresAt = new Date(app.clock.now().getTime() + 60_000);
  await client.oneTimeToken.create({ data: { id: randomUUIDv7(), purpose: 'trace', userId, tokenMac, expiresAt } });
};
