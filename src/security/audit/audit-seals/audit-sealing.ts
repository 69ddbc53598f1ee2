import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { defineAction, SecurityEvents } from '../../../common/events/security-events.js';
import type { Stream } from './chain.js';
import type { TamperedTrail } from './head.js';
import { Sealer, type Checkpoint } from './sealer.js';

const sealFail = defineAction('audit_seal_fail');
const tampered = defineAction('audit_tampered');

const everyMs = 2_000;
const checkpointEveryMs = 60_000;
const sweepEveryMs = 60 * 60 * 1000;
/** After an outage: refusals that waited for the database come when it is back, with the ids of then. */
const sweepAgainMs = 60_000;
/** The redaction of the log takes a longer word for a token. */
const pieceLength = 32;

/** Seals while the service runs, says what goes wrong, and can be measured. */
@Injectable()
export class AuditSealing implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('AuditSeals');
  private readonly stop = new AbortController();
  private readonly told = new Set<Stream>();
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private failed = false;
  private sealedAtMs = performance.now();
  private sweepAtMs = Number.NEGATIVE_INFINITY;
  private checkpointAtMs = performance.now() + checkpointEveryMs;

  constructor(
    private readonly sealer: Sealer,
    private readonly events: SecurityEvents,
  ) {}

  /** Since when this instance has not seen the whole trail sealed. */
  get lagMs(): number {
    return performance.now() - this.sealedAtMs;
  }

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.run(), everyMs).unref();
  }

  /** Other parts may still write; what comes after this is linked by whoever runs next. */
  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    this.stop.abort();
    await this.running;
    if (this.timer !== undefined) await this.attempt(() => this.finish());
  }

  /** One round; a second one at the same time is the same. */
  run(): Promise<void> {
    this.running ??= this.attempt(() => this.round()).finally(() => (this.running = undefined));
    return this.running;
  }

  private async round(): Promise<void> {
    const now = performance.now();
    const isWhole = now >= this.sweepAtMs;
    const startedAtMs = performance.now();
    if (isWhole ? await this.sealer.sealAll(this.stop.signal) : await this.sealer.sealRecent()) {
      if (this.sealer.broken.size === 0) this.sealedAtMs = startedAtMs;
      if (isWhole) this.sweepAtMs = now + (this.failed ? sweepAgainMs : sweepEveryMs);
    }
    if (now >= this.checkpointAtMs) {
      this.tell(await this.sealer.checkpoint());
      this.checkpointAtMs = now + checkpointEveryMs;
    }
  }

  private async finish(): Promise<void> {
    await this.sealer.sealRecent();
    this.tell(await this.sealer.checkpoint(true));
  }

  private async attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.failed = false;
    } catch (error) {
      // Said once, not every two seconds.
      if (!this.failed) {
        this.logger.error({ message: 'the audit trail could not be sealed, and is tried again', error });
        this.events.reportLater({ action: sealFail, outcome: 'failure' });
      }
      this.failed = true;
      this.sweepAtMs = Number.NEGATIVE_INFINITY;
    }
    for (const error of this.sealer.broken.values()) this.tellBroken(error);
    for (const stream of this.told) if (!this.sealer.broken.has(stream)) this.tellMended(stream);
  }

  /** As a line of the log, they leave with the logs: whoever changes the database later does not have them. */
  private tell(checkpoints: readonly Checkpoint[]): void {
    for (const { stream, seq, note } of checkpoints)
      this.logger.log({
        'message': `the audit trail was at ${stream} ${seq}`,
        'event.action': 'audit_checkpoint',
        'audit.checkpoint': note.match(new RegExp(`[^]{1,${pieceLength}}`, 'g')),
      });
  }

  /** The rows are as they were: what came meanwhile has waited for longer than a look at the last seconds goes back. */
  private tellMended(stream: Stream): void {
    this.told.delete(stream);
    this.sweepAtMs = Number.NEGATIVE_INFINITY;
    this.logger.log(`the audit trail is as it was where it did not fit: ${stream} is sealed again`);
  }

  private tellBroken({ stream, seq, what }: TamperedTrail): void {
    if (this.told.has(stream)) return;
    this.told.add(stream);
    const details = { seq, what };
    const summary = `the audit trail was tampered with: ${stream} ${seq}: ${what}; the stream is not sealed any more`;
    this.logger.error({ 'message': summary, 'event.action': tampered });
    this.events.reportLater({
      action: tampered,
      outcome: 'failure',
      target: { type: 'audit-stream', id: stream },
      details,
    });
  }
}
