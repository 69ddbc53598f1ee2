import { Logger } from '@nestjs/common';
import type { ChainableCommander, Redis } from 'ioredis';
import type { Mark, Windows } from './windows.js';

/** What a mark is, and what to do when it makes enough of them. */
export interface Counted extends Mark {
  /** The second half of a sequence: looks for a mark, and adds none. */
  readonly takes: boolean;
  readonly reached: (count: number) => void;
}

/** More than a flood of a whole batch: what goes beyond is counted by this instance alone. */
const maxWaiting = 10_000;

/** Marks are the members of a sorted set, their times the scores: the same rules as in windows.ts. */
const script = `
local key, at, window, threshold, member = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
redis.call('zremrangebyscore', key, '-inf', at - window)
redis.call('zremrangebyscore', key, at + window, '+inf')
if threshold > 0 then
  redis.call('zadd', key, at, member)
  redis.call('pexpire', key, window)
end
local count = redis.call('zcard', key)
if count >= threshold and count > 0 then
  redis.call('del', key)
  return count
end
return 0`;

type Scripted = ChainableCommander & {
  countMark: (key: string, at: number, window: number, threshold: number, member: string) => void;
};

/**
 * The windows of all instances, in Redis: what waited a tenth of a second goes there in one pipeline, off the path of
 * every request. Where Redis does not answer, this instance counts for itself, and says so.
 */
export class SharedWindows {
  private readonly logger = new Logger('Detection');
  private waiting: Counted[] = [];
  private running: Promise<void> | undefined;
  private isAway = false;

  /** @param disguise makes a digest of keys and members: an address is personal data. */
  constructor(
    private readonly local: Windows,
    private readonly redis: Redis | undefined,
    private readonly disguise: (text: string) => string,
  ) {
    redis?.defineCommand('countMark', { numberOfKeys: 1, lua: script });
  }

  /** In memory it counts at once; in Redis with the next `flush()`. */
  count(counted: Counted): void {
    if (this.redis === undefined || this.waiting.length >= maxWaiting) this.countHere(counted);
    else this.waiting.push(counted);
  }

  flush(): Promise<void> {
    this.running ??= this.send().finally(() => (this.running = undefined));
    return this.running;
  }

  private async send(): Promise<void> {
    const batch = this.waiting.splice(0);
    if (this.redis === undefined || batch.length === 0) return;
    const pipeline = this.redis.pipeline() as Scripted;
    for (const { key, member, at, windowMs, threshold, takes } of batch)
      pipeline.countMark(this.disguise(key), at, windowMs, takes ? 0 : finite(threshold), this.disguise(member));
    const answers = (await pipeline.exec().catch(() => null)) ?? [];
    for (const [index, counted] of batch.entries()) {
      const [error, count] = answers[index] ?? [noAnswer];
      if (error === null) reach(counted, Number(count));
      else this.countHere(counted);
    }
    this.tell(batch.map((_, index) => (answers[index] ?? [noAnswer])[0]).find((error) => error !== null));
  }

  private countHere(counted: Counted): void {
    if (counted.takes) reach(counted, this.local.take(counted) ? 1 : 0);
    else reach(counted, this.local.add(counted) ?? 0);
  }

  /** Once when it goes, once when it comes back. */
  private tell(fault: Error | undefined): void {
    if (fault === undefined && this.isAway) this.logger.log('detection counts for all instances again');
    if (fault !== undefined && !this.isAway)
      this.logger.warn('detection counts for this instance alone: Redis does not answer', fault);
    this.isAway = fault !== undefined;
  }
}

const noAnswer = new Error('no answer');

const finite = (threshold: number): number => Math.min(threshold, Number.MAX_SAFE_INTEGER);

function reach({ reached }: Counted, count: number): void {
  if (count > 0) reached(count);
}
