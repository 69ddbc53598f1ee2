import type { MachineTier } from '../../common/access/principal.js';
import { defineDailyLimit, type Limit } from '../../common/http/rate-limit.js';

type Quotas = Readonly<Record<MachineTier, readonly Limit[]>>;

/** Of all keys of a person and tier together: further keys, and successors, bring no further requests. */
const own: Quotas = {
  standard: [defineDailyLimit('api-key-day-standard', 10_000, 'user')],
  high: [defineDailyLimit('api-key-day-high', 100_000, 'user')],
};

/** Each key of a service by itself: one administrator may answer for many services. */
const ofServices: Quotas = {
  standard: [defineDailyLimit('service-key-day-standard', 10_000, 'machine')],
  high: [defineDailyLimit('service-key-day-high', 100_000, 'machine')],
};

/** How many requests a day pass (OWASP API4): what stays below the limit of a minute adds up. */
export const quotaOf = (service: string | null, tier: MachineTier): readonly Limit[] =>
  (service === null ? own : ofServices)[tier];
