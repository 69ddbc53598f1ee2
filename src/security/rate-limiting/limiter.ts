import { Inject, Injectable } from '@nestjs/common';
import { InjectThrottlerStorage } from '@nestjs/throttler';
import { Clock } from '../../common/clock.js';
import { SecurityEvents } from '../../common/events/security-events.js';
import { networkOf } from '../../common/http/network.js';
import { Problem } from '../../common/http/problem.js';
import type { Limit } from '../../common/http/rate-limit.js';
import type { Arrival } from '../../common/http/request-counter.js';
import { CONFIG, type Config } from '../../config/index.js';
import type { LimiterStorage, Use } from './limiter-storage.js';
import { isLoad } from './limits.js';

type Tell = (name: string, item: string) => void;

/** What a count means: it is told in the `RateLimit` fields, and what is too much is refused with 429. */
@Injectable()
export class Limiter {
  constructor(
    @InjectThrottlerStorage() readonly storage: LimiterStorage,
    @Inject(SecurityEvents) private readonly events: SecurityEvents,
    @Inject(CONFIG) private readonly config: Config,
    private readonly clock: Clock,
  ) {}

  /** Counts by network alone what may never become a request of a route. @throws Problem too-many-requests */
  async countArrival(limit: Limit, { address, tell }: Arrival): Promise<void> {
    this.conclude(limit, await this.count(limit, networkOf(address)), tell);
  }

  async count(limit: Limit, key: string): Promise<Use> {
    const ttl = limit.windowSeconds * 1000;
    const add = (bucket: string) => this.storage.increment(bucket, ttl, this.maxOf(limit), ttl, limit.name);
    if (limit.byDay !== true) return add(key);
    const now = this.clock.now().getTime();
    const day = Math.floor(now / ttl);
    return { ...(await add(`${day}|${key}`)), timeToExpire: Math.ceil(((day + 1) * ttl - now) / 1000) };
  }

  /**
   * How many requests of a window pass.
   * @param isAlone each of N instances counts for itself, and a guesser who goes round has N times as many tries.
   */
  maxOf(limit: Limit, isAlone = false): number {
    const max = isLoad(limit) ? limit.requests * this.config.rateLimitScale : limit.requests;
    return isAlone && limit.boundsGuesses === true ? Math.ceil(max / 2) : max;
  }

  /** @throws Problem too-many-requests, with `Retry-After`. */
  conclude(limit: Limit, use: Use, tell: Tell | undefined): void {
    const max = this.maxOf(limit, use.isAlone);
    if (tell !== undefined && isTold.has(limit.per)) tellUse(limit, { ...use, max }, tell);
    if (use.totalHits <= max) return;
    // One event per key and window: the flood itself must not flood the audit trail.
    if (use.isNew && use.totalHits === max + 1) {
      this.events.reportLater({
        action: 'excess_rate_limit_exceeded',
        outcome: 'denied',
        details: { limit: limit.name },
      });
    }
    const headers = { 'Retry-After': String(use.timeToExpire) };
    throw new Problem('too-many-requests', `Try again in ${use.timeToExpire} seconds.`, { headers });
  }
}

const isTold: ReadonlySet<Limit['per']> = new Set(['network', 'user', 'session', 'machine', 'due factor']);

/**
 * draft-ietf-httpapi-ratelimit-headers-10: one item per limit, the newest last. What is counted per account is not
 * told: the remaining count would say whether somebody else has used the address (ASVS v5.0.0-6.3.8).
 */
function tellUse({ name, windowSeconds }: Limit, use: Use & { readonly max: number }, tell: Tell): void {
  tell('ratelimit-policy', `"${name}";q=${use.max};w=${windowSeconds}`);
  tell('ratelimit', `"${name}";r=${Math.max(0, use.max - use.totalHits)};t=${use.timeToExpire}`);
}
