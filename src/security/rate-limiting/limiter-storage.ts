import { Injectable } from '@nestjs/common';
import type { ThrottlerStorage } from '@nestjs/throttler';
import { RateLimiterRedis, type RateLimiterAbstract, type RateLimiterRes } from 'rate-limiter-flexible';
import { SharedState } from '../../shared-state/index.js';
import { BoundedMemory } from './bounded-memory.js';

/** A record of the package, and whether this request made the bucket fuller. */
export type Use = Awaited<ReturnType<ThrottlerStorage['increment']>> & { readonly isNew: boolean };

/** Between a group and its member, in the key of a limit that counts how many different members a group names. */
export const memberSeparator = '\0';

/**
 * Each limit has its own room, so that strangers, who have as many networks and addresses as they like, take none from
 * the limits of those who are signed in. A counter takes about 400 bytes.
 */
const maxKeysPerLimit = 20_000;

/**
 * The counters: in memory, or in Redis for all instances (one script per count, so parallel requests count exactly).
 * When Redis does not answer, each instance counts for itself: limits stay in force, per instance, and no request
 * hangs.
 */
@Injectable()
export class LimiterStorage implements ThrottlerStorage {
  private readonly limiters = new Map<string, RateLimiterAbstract>();

  constructor(
    private readonly state: SharedState,
    private readonly maxKeys = maxKeysPerLimit,
  ) {}

  /**
   * Of the members of a group each counts once in a window; those that were counted before are refused too while there
   * are too many.
   * @param ttl and the times of the answer are in milliseconds and seconds, as @nestjs/throttler defines them.
   */
  async increment(key: string, ttl: number, limit: number, _blockDuration: number, name: string): Promise<Use> {
    const [bucket = '', member] = key.split(memberSeparator);
    const isNew =
      member === undefined || (await this.count(`${name}-seen`, `${member}|${bucket}`, ttl)).consumedPoints === 1;
    const { consumedPoints, msBeforeNext } = await this.count(name, bucket, ttl, isNew ? 1 : 0);
    const seconds = Math.max(1, Math.ceil(msBeforeNext / 1000));
    const isBlocked = consumedPoints > limit;
    return {
      totalHits: consumedPoints,
      timeToExpire: seconds,
      isBlocked,
      timeToBlockExpire: isBlocked ? seconds : 0,
      isNew,
    };
  }

  private count(name: string, key: string, ttl: number, points = 1): Promise<RateLimiterRes> {
    return this.limiter(name, ttl / 1000).consume(key, points);
  }

  private limiter(name: string, duration: number): RateLimiterAbstract {
    const known = this.limiters.get(name);
    if (known !== undefined) return known;
    // What is too much is decided by increment(): the library rejects with a failure only, which must not let through.
    const points = Number.MAX_SAFE_INTEGER;
    // Whether a network has named an account before: when nobody can tell, it counts.
    const whenFull = name.endsWith('-seen') ? 'unseen' : 'share';
    const memory = new BoundedMemory({ keyPrefix: name, points, duration, maxKeys: this.maxKeys, whenFull });
    const limiter =
      this.state.redis === undefined
        ? memory
        : new RateLimiterRedis({
            storeClient: this.state.redis,
            keyPrefix: `${this.state.namespace}:limit:${name}`,
            points,
            duration,
            insuranceLimiter: memory,
          });
    this.limiters.set(name, limiter);
    return limiter;
  }
}
