import { day, minute, type LimitRow, type Send } from '../../security/rate-limiting/limits.parts.js';

const prove: Send = ({ app, actor }, from) =>
  app.request('POST', '/v1/auth/sample-factor/verify', { from, token: actor.token, body: { code: '000000' } });

export const limitRows: readonly LimitRow[] = [
  ['proof-network', 30, minute, 'network', undefined, prove],
  ['proof', 10, 15 * minute, 'due factor', undefined, prove],
  ['proof-day', 50, day, 'due factor', undefined, prove],
];
