import { Injectable } from '@nestjs/common';
import type { ThrottlerStorage } from '@nestjs/throttler';
import { RateLimiterRedis, RateLimiterRes, type RateLimiterAbstract } from 'rate-limiter-flexible';
import { SharedState } from '../../shared-state/index.js';
import { BoundedMemory } from './bounded-memory.js';

type Record = Awaited<ReturnType<ThrottlerStorage['increment']>>;

/**
 * Each limit has its own room, so that strangers, who have as many networks and addresses as they like, take none from the limits of those
 * who are signed in. A counter takes about 400 bytes.
 */
const maxKeysPerLimit = 20_000;

/**
 * The counters: in memory, or in Redis for all instances (one script per count, so parallel requests count exactly). When
 * Redis does not answer, each instance counts for itself: limits stay in force, per instance, and no request hangs.
 */
@Injectable()
export class LimiterStorage implements ThrottlerStorage {
  private readonly limiters = new Map<string, RateLimiterAbstract>();

  constructor(
    private readonly state: SharedState,
    private readonly maxKeys = maxKeysPerLimit,
  ) {}

  /** @param ttl and the times of the answer are in milliseconds and seconds, as @nestjs/throttler defines them. */
  increment(key: string, ttl: number, limit: number, _blockDuration: number, name: string): Promise<Record> {
    return this.consume(this.limiter(name, limit, ttl / 1000), key, limit, 1);
  }

  /** How full the bucket is; counts nothing. */
  look(key: string, ttl: number, limit: number, name: string): Promise<Record> {
    return this.consume(this.limiter(name, limit, ttl / 1000), key, limit, 0);
  }

  private async consume(limiter: RateLimiterAbstract, key: string, limit: number, points: 0 | 1): Promise<Record> {
    const result = await limiter.consume(key, points).catch(refusal);
    const seconds = Math.max(1, Math.ceil(result.msBeforeNext / 1000));
    const isBlocked = result.consumedPoints > limit;
    return { totalHits: result.consumedPoints, timeToExpire: seconds, isBlocked, timeToBlockExpire: isBlocked ? seconds : 0 };
  }

  private limiter(name: string, points: number, duration: number): RateLimiterAbstract {
    const known = this.limiters.get(name);
    if (known !== undefined) return known;
    // Whether a network has named an account before: when nobody can tell, it counts.
    const whenFull = name.endsWith('-seen') ? 'unseen' : 'share';
    const memory = new BoundedMemory({ keyPrefix: name, points, duration, maxKeys: this.maxKeys, whenFull });
    const limiter =
      this.state.redis === undefined
        ? memory
        : new RateLimiterRedis({ storeClient: this.state.redis, keyPrefix: `${this.state.namespace}:limit:${name}`, points, duration, insuranceLimiter: memory });
    this.limiters.set(name, limiter);
    return limiter;
  }
}

/** The library rejects with its result when a limit is exceeded; anything else is a failure, which must not let through. */
function refusal(reason: unknown): RateLimiterRes {
  if (reason instanceof RateLimiterRes) return reason;
  throw reason;
}
