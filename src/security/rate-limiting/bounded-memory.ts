import { createHmac, randomBytes } from 'node:crypto';
import { RateLimiterMemory, RateLimiterRes, type IRateLimiterOptions } from 'rate-limiter-flexible';

const sharedBuckets = 1_024;

interface BoundedOptions extends IRateLimiterOptions {
  readonly maxKeys: number;
  /** What happens to a key for which there is no room: it shares a bucket with others, or counts as never seen. */
  readonly whenFull: 'share' | 'unseen';
}

/**
 * Counters of one limit in bounded memory. Nothing is evicted before its window ends: strangers with ever new keys can
 * neither push out the counters of others nor get rid of their own. When the room is used up, further keys share
 * buckets, by a digest that nobody outside can compute (ASVS v5.0.0-15.2.2).
 */
export class BoundedMemory extends RateLimiterMemory {
  private readonly maxKeys: number;
  private readonly whenFull: BoundedOptions['whenFull'];
  private readonly windowMs: number;
  private readonly secret = randomBytes(32);
  /** When the window of each key ends. All windows are equally long, so the first ones end first. */
  private readonly ends = new Map<string, number>();

  constructor({ maxKeys, whenFull, ...options }: BoundedOptions) {
    super(options);
    this.maxKeys = maxKeys;
    this.whenFull = whenFull;
    this.windowMs = (options.duration ?? 1) * 1000;
  }

  override consume(key: string, points = 1): Promise<RateLimiterRes> {
    if (this.hasRoomFor(key)) return super.consume(key, points);
    if (this.whenFull === 'unseen') return Promise.resolve(new RateLimiterRes(0, this.windowMs, 1));
    const digest = createHmac('sha256', this.secret).update(key).digest().readUInt32BE();
    return super.consume(`shared ${digest % sharedBuckets}`, points);
  }

  /** Of windows that are open now; tests and whoever debugs read it. */
  get keys(): number {
    return this.ends.size;
  }

  private hasRoomFor(key: string): boolean {
    const now = Date.now();
    for (const [ended, end] of this.ends) {
      if (end > now) break;
      this.ends.delete(ended);
    }
    if (this.ends.has(key)) return true;
    if (this.ends.size >= this.maxKeys) return false;
    this.ends.set(key, now + this.windowMs);
    return true;
  }
}
