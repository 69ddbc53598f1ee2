import { randomBytes, randomUUIDv7 } from 'node:crypto';
import { Database } from '../../src/database/index.js';
import type { LeaveTraces } from '../support/every-trace.js';

export const leaveTraces: LeaveTraces = async (app, { userId }) => {
  const { client } = app.on(0).service.app.get(Database, { strict: false });
  const [keyMac, requestMac] = [randomBytes(32).toString('base64url'), randomBytes(32).toString('base64url')];
  const expiresAt = new Date(Date.now() + 60_000);
  await client.idempotencyKey.create({ data: { userId, keyMac, requestMac, targetId: randomUUIDv7(), expiresAt } });
};
