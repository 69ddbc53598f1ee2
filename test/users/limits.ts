import { hour, type LimitRow, type Send } from '../security/rate-limiting/limits.parts.js';

const exportOwn: Send = ({ app, actor }, from) =>
  app.request('GET', '/v1/users/me/export', { from, token: actor.token });

export const limitRows: readonly LimitRow[] = [
  ['export-network', 30, hour, 'network', undefined, exportOwn],
  ['export', 5, hour, 'user', undefined, exportOwn],
];
