import { minute, type LimitRow, type Send } from '../../security/rate-limiting/limits.parts.js';

const refresh: Send = ({ app }, from) =>
  app.request('POST', '/v1/auth/refresh', { from, body: { refreshToken: 'made.up' } });

export const limitRows: readonly LimitRow[] = [['refresh-network', 120, minute, 'network', undefined, refresh]];
