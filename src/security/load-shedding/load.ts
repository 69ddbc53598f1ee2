import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Database } from '../../database/index.js';

const sampleEveryMs = 250;
const resolutionMs = 10;
/** What a sample counts, and at most: one turn of the event loop, however long, is no load; several in a row are. */
const weight = 0.25;
const maxSampleMs = 1_300;
const warningEveryMs = 60_000;

/** How busy this process is. */
@Injectable()
export class Load implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('Load');
  private readonly histogram = monitorEventLoopDelay({ resolution: resolutionMs });
  private timer?: NodeJS.Timeout;
  private loopMs = 0;
  private lineMs = 0;
  private waitingSince?: number;
  private warnedAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly database: Database) {}

  onApplicationBootstrap(): void {
    this.histogram.enable();
    this.timer = setInterval(() => this.sample(), sampleEveryMs).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
    this.histogram.disable();
  }

  /** Milliseconds by which an answer is late because of others: the longer of both waits. */
  get delayMs(): number {
    return Math.max(this.loopMs, this.lineMs);
  }

  /** Says once a minute that somebody is refused. */
  warn(): void {
    if (performance.now() - this.warnedAt < warningEveryMs) return;
    this.warnedAt = performance.now();
    const late = `event loop ${Math.round(this.loopMs)} ms late, database line ${Math.round(this.lineMs)} ms`;
    this.logger.warn(`requests are refused, because the service is overloaded: ${late}`);
  }

  private sample(): void {
    const late = Math.min(maxSampleMs, Math.max(0, this.histogram.mean / 1e6 - resolutionMs));
    this.histogram.reset();
    this.loopMs += weight * ((Number.isNaN(late) ? 0 : late) - this.loopMs);
    if (this.waitingSince !== undefined) this.lineMs = Math.max(this.lineMs, performance.now() - this.waitingSince);
    else if (this.database.load.waiting === 0) this.lineMs = 0;
    else void this.standInLine();
  }

  /** Waits as a request does that comes now. */
  private async standInLine(): Promise<void> {
    const since = (this.waitingSince = performance.now());
    // A database that gives nobody a connection is told by every request that asks for one.
    await this.database.takeTurn().catch(() => undefined);
    this.lineMs = performance.now() - since;
    this.waitingSince = undefined;
  }
}
