import { minute, type LimitRow, type Send } from '../../security/rate-limiting/limits.parts.js';

const finish: Send = ({ app }, from) => app.request('POST', '/v1/auth/oidc/sign-in', { from, body: {} });
const logout: Send = ({ app }, from) =>
  app.request('POST', '/v1/auth/oidc/nobody/backchannel-logout', { from, body: { logout_token: 'x' } });

export const limitRows: readonly LimitRow[] = [
  ['oidc-network', 60, minute, 'network', undefined, finish],
  ['provider-logout-network', 300, minute, 'network', undefined, logout],
];
