import type { MachineTier } from '../../../src/common/access/principal.js';
import { quotaOf } from '../../../src/auth/api-keys/api-key.quotas.js';
import { machineToken } from '../../support/sample/machines.js';
import { day, hour, type LimitRow, type Send } from '../../security/rate-limiting/limits.parts.js';

const ask: Send = ({ app, actor }, from) => app.request('POST', '/v1/api-keys', { from, token: actor.token, body: {} });
const call =
  (service: string | null, tier: MachineTier): Send =>
  ({ app, actor }, from) => {
    const token = machineToken({ userId: actor.userId, tier, limits: quotaOf(service, tier) });
    return app.request('GET', '/v1/samples', { from, token });
  };

export const limitRows: readonly LimitRow[] = [
  ['api-key-network', 60, hour, 'network', undefined, ask],
  ['api-key', 30, hour, 'user', undefined, ask],
  ['api-key-day-standard', 10_000, day, 'user', undefined, call(null, 'standard')],
  ['api-key-day-high', 100_000, day, 'user', undefined, call(null, 'high')],
  ['service-key-day-standard', 10_000, day, 'machine', undefined, call('Analyser', 'standard')],
  ['service-key-day-high', 100_000, day, 'machine', undefined, call('Analyser', 'high')],
];
