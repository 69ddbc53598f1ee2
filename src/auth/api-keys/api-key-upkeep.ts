import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import { SecurityEvents } from '../../common/events/security-events.js';
import { Database } from '../../database/index.js';
import { ApiKeyRepository } from './api-key.repository.js';
import { apiKeyRunsOut } from './api-keys.events.js';

/** Far more keys than call within a minute. */
const maxNoted = 10_000;
const everyMs = 60_000;
/** Rounds. */
const warnEvery = 10;

/** What is done for keys beside the requests: when each was used, who is told of its end, and what is deleted. */
@Injectable()
export class ApiKeyUpkeep implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('ApiKeys');
  private readonly uses = new Map<string, Date>();
  private running: Promise<void> | undefined;
  private rounds = 0;
  private timer?: NodeJS.Timeout;

  constructor(
    private readonly repository: ApiKeyRepository,
    private readonly database: Database,
    private readonly events: SecurityEvents,
    private readonly clock: Clock,
  ) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.run(), everyMs).unref();
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.running;
    await this.attempt(() => this.writeUses());
  }

  /** Nothing is written before the answer. */
  noteUse(id: string): void {
    if (this.uses.has(id) || this.uses.size < maxNoted) this.uses.set(id, this.clock.now());
  }

  /** One round; a second one at the same time is the same. */
  run(): Promise<void> {
    this.running ??= this.round().finally(() => (this.running = undefined));
    return this.running;
  }

  private async round(): Promise<void> {
    await this.attempt(() => this.writeUses());
    if (this.rounds++ % warnEvery !== 0) return;
    await this.attempt(() => this.warnOwners());
    await this.attempt(() => this.repository.deleteEnded());
  }

  private async writeUses(): Promise<void> {
    const written = new Map(this.uses);
    if (written.size === 0) return;
    await this.repository.writeUses(written);
    // What failed stays, and so does what came meanwhile.
    for (const [id, at] of written) if (this.uses.get(id) === at) this.uses.delete(id);
  }

  /** The mails and that they were sent commit together: no owner is told twice, by whichever instance. */
  private async warnOwners(): Promise<void> {
    await this.database.transaction(async () => {
      for (const { id, userId, createdAt, expiresAt } of await this.repository.claimWarnings()) {
        const details = { key: id, made: createdAt.toISOString(), until: expiresAt.toISOString() };
        const target = { type: 'user', id: userId };
        await this.events.recordInTransaction({ action: apiKeyRunsOut, outcome: 'success', target, details });
      }
    });
  }

  /** The next round tries again. */
  private async attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.logger.error({ message: 'the upkeep of API keys failed, and is tried again', error });
    }
  }
}
