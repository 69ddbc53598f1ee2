import { Injectable } from '@nestjs/common';
import type { ThrottlerStorage } from '@nestjs/throttler';
import { RateLimiterRedis } from 'rate-limiter-flexible';
import { SharedState } from '../../shared-state/index.js';
import { BoundedMemory } from './bounded-memory.js';

/** A record of the package. */
export type Use = Awaited<ReturnType<ThrottlerStorage['increment']>> & {
  /** Whether this request made the bucket fuller. */
  readonly isNew: boolean;
  /** Whether the other instances do not know of it, because Redis did not count. */
  readonly isAlone: boolean;
};

/** Between a group and its member, in the key of a limit that counts how many different members a group names. */
export const memberSeparator = '\0';

/**
 * Each limit has its own room, so that strangers, who have as many networks and addresses as they like, take none from
 * the limits of those who are signed in. A counter takes about 400 bytes.
 */
const maxKeysPerLimit = 20_000;

/** Of one limit. */
interface Limiters {
  /** Where Redis counts for all instances. */
  readonly shared: RateLimiterRedis | undefined;
  readonly own: BoundedMemory;
}

/**
 * The counters: in memory, or in Redis for all instances (one script per count, so parallel requests count exactly).
 * When Redis does not answer, each instance counts for itself: limits stay in force, per instance, and no request
 * hangs.
 */
@Injectable()
export class LimiterStorage implements ThrottlerStorage {
  private readonly limiters = new Map<string, Limiters>();

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
    const { consumedPoints, msBeforeNext, isAlone } = await this.count(name, bucket, ttl, isNew ? 1 : 0);
    const seconds = Math.max(1, Math.ceil(msBeforeNext / 1000));
    const isBlocked = consumedPoints > limit;
    return {
      totalHits: consumedPoints,
      timeToExpire: seconds,
      isBlocked,
      timeToBlockExpire: isBlocked ? seconds : 0,
      isNew,
      isAlone,
    };
  }

  private async count(name: string, key: string, ttl: number, points = 1) {
    const { shared, own } = this.limitersOf(name, ttl / 1000);
    if (shared !== undefined) {
      try {
        const { consumedPoints, msBeforeNext } = await shared.consume(key, points);
        return { consumedPoints, msBeforeNext, isAlone: false };
      } catch (error) {
        this.state.report(error);
      }
    }
    const { consumedPoints, msBeforeNext } = await own.consume(key, points);
    return { consumedPoints, msBeforeNext, isAlone: shared !== undefined };
  }

  private limitersOf(name: string, duration: number): Limiters {
    const known = this.limiters.get(name);
    if (known !== undefined) return known;
    const { redis: storeClient, namespace } = this.state;
    // What is too much is decided by who asks: the library rejects with a failure only, which must not let through.
    const points = Number.MAX_SAFE_INTEGER;
    // Whether a network has named an account before: when nobody can tell, it counts.
    const whenFull = name.endsWith('-seen') ? 'unseen' : 'share';
    const keyPrefix = `${namespace}:limit:${name}`;
    const limiters = {
      own: new BoundedMemory({ keyPrefix: name, points, duration, maxKeys: this.maxKeys, whenFull }),
      shared:
        storeClient === undefined ? undefined : new RateLimiterRedis({ storeClient, keyPrefix, points, duration }),
    } as const;
    this.limiters.set(name, limiters);
    return limiters;
  }
}
