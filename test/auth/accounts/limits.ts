import { hour, minute, type LimitRow, type Send } from '../../security/rate-limiting/limits.parts.js';

const register: Send = ({ app }, from, index) =>
  app.request('POST', '/v1/auth/register', { from, body: { email: `limit${index}@example.org` } });

export const limitRows: readonly LimitRow[] = [
  ['mail-network', 5, 10 * minute, 'network', undefined, register],
  ['mail-account', 3, hour, 'account', undefined, register],
];
