import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Attempts } from './attempts.js';
import { Mailer } from './mailer.js';
import { OutgoingMails, type Claim } from './outgoing-mails.js';

/** A slow mail server holds so many connections, and no request. */
const maxAtOnce = 5;
const pollEveryMs = 3_000;
const stopAfterMs = 1_000;

/**
 * Brings queued mails to the transport, at least once: an instance that is killed after the server took a mail, and
 * before the row is gone, leaves a mail that goes out again (with the same Message-ID).
 */
@Injectable()
export class Delivery implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('Delivery');
  private readonly running = new Set<Promise<void>>();
  private readonly stopping = new AbortController();
  private alarm = Promise.withResolvers<void>();
  private ended: Promise<void> = Promise.resolve();
  private stopped = false;

  constructor(
    private readonly mails: OutgoingMails,
    private readonly attempts: Attempts,
    mailer: Mailer,
  ) {
    mailer.onQueued(() => this.wake());
  }

  onApplicationBootstrap(): void {
    // Started here, outside of every request: a loop that a request started would run in its transaction.
    this.ended = this.run();
  }

  /** Waits a moment for what is on its way; what is not taken by then stays in the table. */
  async onApplicationShutdown(): Promise<void> {
    this.stopped = true;
    this.wake();
    const cut = setTimeout(() => this.stopping.abort(), stopAfterMs);
    await this.ended;
    await Promise.all(this.running);
    clearTimeout(cut);
  }

  /** Looks for mails now. */
  wake(): void {
    this.alarm.resolve();
  }

  private async run(): Promise<void> {
    while (!this.stopped) {
      this.alarm = Promise.withResolvers();
      const claims = await this.claim(maxAtOnce - this.running.size);
      for (const claim of claims) this.start(claim);
      if (claims.length === 0 || this.running.size === maxAtOnce) await this.pause();
    }
  }

  private async claim(most: number): Promise<Claim[]> {
    if (most === 0) return [];
    try {
      return await this.mails.claim(most);
    } catch (error) {
      this.logger.error('the waiting mails could not be read; it is tried again', error);
      return [];
    }
  }

  private async pause(): Promise<void> {
    const poll = new AbortController();
    const polled = sleep(pollEveryMs, undefined, { ref: false, signal: poll.signal }).catch(() => undefined);
    await Promise.race([this.alarm.promise, polled]);
    poll.abort();
  }

  private start(claim: Claim): void {
    const work = this.attempts
      .make(claim, this.stopping.signal)
      // The lease brings it back.
      .catch((error: unknown) => this.logger.error('the outcome of a mail could not be stored', error))
      .finally(() => {
        this.running.delete(work);
        this.wake();
      });
    this.running.add(work);
  }
}
