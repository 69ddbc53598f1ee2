import { hour, type LimitRow, type Send } from '../../security/rate-limiting/limits.parts.js';

const ask: Send = ({ app, actor }, from) => app.request('POST', '/v1/api-keys', { from, token: actor.token, body: {} });

export const limitRows: readonly LimitRow[] = [
  ['api-key-network', 60, hour, 'network', undefined, ask],
  ['api-key', 30, hour, 'user', undefined, ask],
];
