import { expect } from 'vitest';
import { anyEmail } from '../../../support/actors.js';
import type { LeaveTraces } from '../../../support/every-trace.js';

export const leaveTraces: LeaveTraces = async (app, { token }) => {
  const body = { email: anyEmail() };
  expect((await app.request('POST', '/v1/auth/email/change', { token, body })).status).toBe(202);
};
