import { minute, type LimitRow, type Send } from '../../security/rate-limiting/limits.parts.js';
import { form } from './registered-client.js';

const ask: Send = ({ app }, from) =>
  app.request('POST', '/oauth/token', { from, ...form({ grant_type: 'client_credentials' }) });

export const limitRows: readonly LimitRow[] = [['oauth-network', 120, minute, 'network', undefined, ask]];
