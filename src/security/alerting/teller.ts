import { randomUUIDv7 } from 'node:crypto';
import {
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import { Alerts, type Alert } from '../../common/events/alerts.js';
import { CONFIG, type Config } from '../../config/index.js';
import { Database } from '../../database/index.js';
import { Mailer } from '../../mail/index.js';
import { alertingSettings } from './alerting.settings.js';
import { AlertsRepository, type Raised } from './alerts.repository.js';
import { mailOf, webhookBody } from './message.js';
import { WebhookDelivery } from './webhook-delivery.js';
import { WebhooksRepository } from './webhooks.repository.js';

const flushEveryMs = 50;
/** Different incidents that wait for the database; what goes beyond is in the log alone. */
const maxWaiting = 1_000;
const sweepEveryMs = 3_600_000;
/** What nothing was added to for so long is deleted, acknowledged or not. */
const keptMs = 90 * 24 * 3_600_000;

/** Stores what is raised, and tells of it: once for each incident, whichever instances raise it. */
@Injectable()
export class Teller implements OnModuleInit, OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('Alerting');
  private waiting = new Map<string, Raised>();
  private running: Promise<void> | undefined;
  private timers: NodeJS.Timeout[] = [];
  private isFailing = false;

  @Inject(Alerts) private readonly alerts: Alerts;
  @Inject(WebhooksRepository) private readonly webhooks: WebhooksRepository;
  @Inject(WebhookDelivery) private readonly delivery: WebhookDelivery;

  constructor(
    private readonly repository: AlertsRepository,
    private readonly database: Database,
    private readonly mailer: Mailer,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  onModuleInit(): void {
    this.alerts.subscribe((alert) => this.add(alert));
  }

  onApplicationBootstrap(): void {
    this.timers = [
      setInterval(() => void this.flush(), flushEveryMs).unref(),
      setInterval(() => void this.sweep(), sweepEveryMs).unref(),
    ];
  }

  async onApplicationShutdown(): Promise<void> {
    for (const timer of this.timers) clearInterval(timer);
    await this.running;
    await this.flush();
    if (this.waiting.size > 0) this.logger.error(`${this.waiting.size} alerts could not be stored: the log has them`);
  }

  /** Stores what waits. What the database does not take stays for the next time. */
  flush(): Promise<void> {
    this.running ??= this.store().finally(() => (this.running = undefined));
    return this.running;
  }

  /** A flood of one incident is one entry. */
  private add(newest: Alert, more = 1): void {
    const name = JSON.stringify([newest.rule, newest.key]);
    const known = this.waiting.get(name);
    if (known === undefined && this.waiting.size >= maxWaiting) return;
    this.waiting.set(name, { newest, count: (known?.count ?? 0) + more });
  }

  private async store(): Promise<void> {
    const batch = this.waiting;
    this.waiting = new Map();
    for (const raised of batch.values()) {
      try {
        await this.database.transaction(() => this.tell(raised));
        this.isFailing = false;
      } catch (error) {
        this.add(raised.newest, raised.count);
        if (!this.isFailing) this.logger.error('an alert could not be stored; it is tried again', error);
        this.isFailing = true;
      }
    }
  }

  /** The row, the mail and the webhook commit together. */
  private async tell(raised: Raised): Promise<void> {
    const toldId = randomUUIDv7();
    const noted = await this.repository.note(raised, toldId);
    if (!noted.isTold || raised.newest.severity === 'info' || (await this.repository.isMuted(raised.newest))) return;
    const { ALERT_EMAIL, ALERT_WEBHOOK_URL } = this.config.of(alertingSettings);
    if (ALERT_EMAIL !== undefined) await this.mailer.send(ALERT_EMAIL, () => mailOf(raised.newest, noted));
    if (ALERT_WEBHOOK_URL === undefined) return;
    await this.webhooks.add(toldId, webhookBody(raised.newest, noted));
    await this.database.afterCommit(() => this.delivery.wake());
  }

  private async sweep(): Promise<void> {
    try {
      await this.repository.deleteBefore(new Date(this.clock.now().getTime() - keptMs));
    } catch (error) {
      this.logger.warn('old alerts could not be deleted; it is tried again', error);
    }
  }
}
