import { Inject, Injectable } from '@nestjs/common';
import { InjectThrottlerStorage } from '@nestjs/throttler';
import type { FastifyReply } from 'fastify';
import { networkOf } from '../../common/network.js';
import type { Arrival } from '../../common/request-counter.js';
import { Problem } from '../../common/problem.js';
import { SecurityEvents } from '../../common/security-events.js';
import { CONFIG, type Config } from '../../config/index.js';
import { LimitKeys, type LimitedRequest } from './limit-keys.js';
import type { LimiterStorage } from './limiter-storage.js';
import { isLoad, type Limit } from './limits.js';

/** Counts one request against one limit, tells the client in the `RateLimit` fields, and refuses with 429. */
@Injectable()
export class Limiter {
  constructor(
    @InjectThrottlerStorage() private readonly storage: LimiterStorage,
    @Inject(LimitKeys) private readonly keys: LimitKeys,
    @Inject(SecurityEvents) private readonly events: SecurityEvents,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** @throws Problem too-many-requests, with `Retry-After`. */
  async count(limit: Limit, request: LimitedRequest, reply: FastifyReply): Promise<void> {
    if (!this.keys.concerns(limit, request)) return;
    const most = this.mostOf(limit);
    const use = await this.counted(limit, request, most);
    if (isTold.has(limit.per)) tell(limit, { ...use, most }, (name, item) => append(reply, name, item));
    this.assertWithin(limit, most, use);
  }

  /** The same by network alone, for what may never become a request of a route. @throws Problem too-many-requests */
  async countArrival(limit: Limit, { address, tell: add }: Arrival): Promise<void> {
    const most = this.mostOf(limit);
    const use = await this.storage.increment(networkOf(address), limit.windowSeconds * 1000, most, 0, limit.name);
    if (add !== undefined) tell(limit, { ...use, most }, add);
    this.assertWithin(limit, most, { ...use, isNew: true });
  }

  private mostOf(limit: Limit): number {
    return isLoad(limit) ? limit.requests * this.config.rateLimitScale : limit.requests;
  }

  private assertWithin(limit: Limit, most: number, { totalHits, timeToExpire, isNew }: Use & { isNew: boolean }): void {
    if (totalHits <= most) return;
    // One event per key and window: the flood itself must not flood the audit trail.
    if (isNew && totalHits === most + 1) {
      this.events.report({ action: 'excess_rate_limit_exceeded', outcome: 'denied', details: { limit: limit.name } });
    }
    const headers = { 'Retry-After': String(timeToExpire) };
    throw new Problem('too-many-requests', `Try again in ${timeToExpire} seconds.`, { headers });
  }

  private async counted(limit: Limit, request: LimitedRequest, most: number) {
    const { name, per } = limit;
    const milliseconds = limit.windowSeconds * 1000;
    const key = this.keys.keyOf(limit, request);
    // Of the accounts of a network each counts once. Those that were counted before are refused too while there are too many.
    const seen = per === 'accounts of network' && (await this.storage.increment(this.keys.accountInNetwork(request), milliseconds, most, 0, `${name}-seen`));
    const isNew = seen === false || seen.totalHits === 1;
    const counted = isNew ? await this.storage.increment(key, milliseconds, most, 0, name) : await this.storage.look(key, milliseconds, most, name);
    return { ...counted, isNew };
  }
}

const isTold: ReadonlySet<Limit['per']> = new Set(['network', 'user', 'session', 'due factor']);

interface Use {
  readonly totalHits: number;
  /** Seconds. */
  readonly timeToExpire: number;
}

/**
 * draft-ietf-httpapi-ratelimit-headers-10: one item per limit, the newest last. What is counted per account is not told: the remaining count
 * would say whether somebody else has used the address (ASVS v5.0.0-6.3.8).
 */
function tell(limit: Limit, { totalHits, timeToExpire, most }: Use & { most: number }, add: (name: string, item: string) => void): void {
  add('ratelimit-policy', `"${limit.name}";q=${most};w=${limit.windowSeconds}`);
  add('ratelimit', `"${limit.name}";r=${Math.max(0, most - totalHits)};t=${timeToExpire}`);
}

const append = (reply: FastifyReply, name: string, item: string): void => {
  const present = reply.getHeader(name);
  void reply.header(name, typeof present === 'string' ? `${present}, ${item}` : item);
};
