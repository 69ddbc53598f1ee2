import { randomBytes, randomUUIDv7 } from 'node:crypto';
import { Database } from '../../../src/database/index.js';
import type { LeaveTraces } from '../../support/every-trace.js';

// A token of somebody's, whichever features hand any out.
export const leaveTraces: LeaveTraces = async (app, { userId }) => {
  const { client } = app.on(0).service.app.get(Database, { strict: false });
  const tokenMac = `trace.${randomBytes(32).toString('base64url')}`;
  // A while: what has expired goes when another one is made, in the midst of somebody else's test.
  const expiresAt = new Date(app.clock.now().getTime() + 24 * 60 * 60_000);
  await client.oneTimeToken.create({ data: { id: randomUUIDv7(), purpose: 'trace', userId, tokenMac, expiresAt } });
};
