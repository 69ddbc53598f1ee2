import { hour, minute, type LimitRow, type Send } from '../../security/rate-limiting/limits.parts.js';

const login: Send = ({ app }, from, index) =>
  app.request('POST', '/v1/auth/login', { from, body: { email: `limit${index}@example.org`, password: 'a guess' } });
const device: Send = ({ app, actor, deviceToken }, from) =>
  app.request('POST', '/v1/auth/login', { from, body: { email: actor.email, password: 'a guess', deviceToken } });
const change: Send = ({ app, actor }, from) =>
  app.request('POST', '/v1/auth/password/change', {
    from,
    token: actor.token,
    body: { oldPassword: 'a guess', newPassword: 'violet harbour counts to nine' },
  });

export const limitRows: readonly LimitRow[] = [
  ['login-network', 20, minute, 'network', undefined, login],
  ['login-network-hour', 100, hour, 'network', undefined, login],
  ['login-accounts', 30, hour, 'accounts of network', 'unknown devices', login],
  ['login-account', 10, 15 * minute, 'account and network', 'unknown devices', login],
  ['login-account-hour', 100, hour, 'account', 'unknown devices', login],
  ['login-device', 10, 15 * minute, 'device', 'known devices', device],
  ['login-device-hour', 30, hour, 'device', 'known devices', device],
  ['credential-network', 30, minute, 'network', undefined, change],
  ['credential', 10, 15 * minute, 'session', undefined, change],
];
