import { Database } from '../../../src/database/index.js';
import type { LeaveTraces } from '../../support/every-trace.js';

export const leaveTraces: LeaveTraces = async (app, { userId, email }) => {
  const { client } = app.on(0).service.app.get(Database, { strict: false });
  const identifier = JSON.stringify(['https://sso.example.org', userId]);
  await client.federatedIdentity.create({ data: { userId, provider: 'keycloak', identifier, email } });
};
