import { expect } from 'vitest';
import type { LeaveTraces } from '../../../support/every-trace.js';

export const leaveTraces: LeaveTraces = async (app, { email }) =>
  expect((await app.request('POST', '/v1/auth/password/forgot', { body: { email } })).status).toBe(202);
