import { Logger } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { probeCommands, refusalOf } from './redis-probe.js';

const everyMs = 2_000;
const answerMs = 1_000;

/** Knows whether Redis does what the service needs, and says so once for each change. */
export class RedisWatch {
  private readonly logger = new Logger('SharedState');
  private readonly timer: NodeJS.Timeout;
  private fault: string | undefined;
  private probing: Promise<void> | undefined;
  private ended = false;

  constructor(
    private readonly commands: Redis,
    private readonly subscriber: Redis,
    private readonly namespace: string,
  ) {
    // Without a listener, ioredis prints to stderr by itself; the URL with its password must not get there.
    for (const redis of [commands, subscriber]) redis.on('error', (error: Error) => this.report(error));
    this.timer = setInterval(() => void this.check().catch(() => undefined), everyMs).unref();
  }

  /** @throws when Redis does not do now what the service needs. */
  async check(): Promise<void> {
    // One at a time: what asks while Redis is silent must not pile up.
    this.probing ??= this.probe().finally(() => (this.probing = undefined));
    await this.probing;
  }

  /** What somebody met who used Redis. */
  report(error: unknown): void {
    if (this.ended || this.fault !== undefined) return;
    this.fault = refusalOf(error);
    this.logger.error({
      message: `Redis does not do what the service needs (${this.fault}): each instance limits by itself meanwhile`,
      error,
    });
  }

  get isUp(): boolean {
    return this.fault === undefined;
  }

  end(): void {
    this.ended = true;
    clearInterval(this.timer);
  }

  private async probe(): Promise<void> {
    try {
      await probeCommands(this.commands, this.namespace);
      await this.hearSubscriber();
    } catch (error) {
      this.report(error);
      throw error;
    }
    if (this.fault !== undefined && !this.ended)
      this.logger.warn(`Redis works again after ${this.fault}: the instances share their limits`);
    this.fault = undefined;
  }

  /**
   * It sends nothing by itself, so a link that fell silent would never be noticed: the answer is what `socketTimeout`
   * waits for.
   */
  private async hearSubscriber(): Promise<void> {
    if (this.subscriber.status !== 'ready') throw new Error('the connection for messages is not there');
    let late: NodeJS.Timeout | undefined;
    const bound = new Promise<never>((_, reject) => {
      late = setTimeout(() => reject(new Error('the connection for messages is silent')), answerMs);
    });
    await Promise.race([this.subscriber.ping(), bound]).finally(() => clearTimeout(late));
  }
}
