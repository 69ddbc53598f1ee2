import { randomInt } from 'node:crypto';
import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import { SecurityEvents } from '../../common/events/security-events.js';
import { CONFIG, type Config } from '../../config/index.js';
import { Egress, type EgressClient } from '../../egress/index.js';
import { alertingSettings } from './alerting.settings.js';
import { webhookHeaders } from './message.js';
import { WebhooksRepository, type ClaimedWebhook } from './webhooks.repository.js';

const pollEveryMs = 1_000;
const maxAtOnce = 5;
/** Less than the lease, so that two instances never send one webhook at the same time. */
const bounds = { milliseconds: 10_000, bytes: 64 * 1024 };
const firstRetryMs = 5_000;
const lastRetryMs = 3_600_000;
const givenUpAfterMs = 24 * 3_600_000;

/** 5 s, doubled up to 1 h; between half and all of it, so that what failed together does not come back together. */
const backOffMs = (attempts: number): number =>
  Math.min(lastRetryMs, firstRetryMs * 2 ** (attempts - 1)) * (0.5 + randomInt(1000) / 2000);

/** Brings queued webhooks to the receiver, at least once, each under one id. */
@Injectable()
export class WebhookDelivery implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('Alerting');
  private readonly stopping = new AbortController();
  private readonly receiver: EgressClient;
  private readonly url: string | undefined;
  private readonly keys: readonly Buffer[];
  private looking: Promise<void> | undefined;
  private readonly attempts = new Set<Promise<void>>();
  private isAsked = false;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly webhooks: WebhooksRepository,
    private readonly events: SecurityEvents,
    private readonly clock: Clock,
    egress: Egress,
    @Inject(CONFIG) config: Config,
  ) {
    const { ALERT_WEBHOOK_URL, ALERT_WEBHOOK_SECRET = [] } = config.of(alertingSettings);
    this.url = ALERT_WEBHOOK_URL;
    this.keys = ALERT_WEBHOOK_SECRET;
    const origins = this.url === undefined ? [] : [new URL(this.url).origin];
    // Each webhook has a pause of its own: a circuit beside it would only delay what the receiver waits for.
    this.receiver = egress.for({ origins, variable: 'ALERT_WEBHOOK_URL', circuit: 'none' });
  }

  onApplicationBootstrap(): void {
    if (this.url !== undefined) this.timer = setInterval(() => this.wake(), pollEveryMs).unref();
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    this.stopping.abort();
    await this.looking;
    await Promise.all(this.attempts);
  }

  /** Looks for webhooks now. */
  wake(): void {
    this.isAsked = true;
    if (this.stopping.signal.aborted) return;
    this.looking ??= this.look().finally(() => (this.looking = undefined));
  }

  private async look(): Promise<void> {
    try {
      while (this.isAsked && !this.stopping.signal.aborted) {
        this.isAsked = false;
        const room = maxAtOnce - this.attempts.size;
        const claimed = room === 0 ? [] : await this.webhooks.claim(room);
        for (const webhook of claimed) this.start(webhook);
      }
    } catch (error) {
      this.logger.error('the queue of webhooks could not be read; it is tried again', error);
    }
  }

  /** One that hangs keeps no other waiting. */
  private start(webhook: ClaimedWebhook): void {
    const work = this.attempt(webhook)
      // The lease brings it back.
      .catch((error: unknown) => this.logger.error('the outcome of a webhook could not be stored', error))
      .finally(() => {
        this.attempts.delete(work);
        this.wake();
      });
    this.attempts.add(work);
  }

  private async attempt(webhook: ClaimedWebhook): Promise<void> {
    const fault = await this.faultOf(webhook);
    if (fault === undefined) return this.webhooks.delete(webhook.id);
    const now = this.clock.now().getTime();
    // It was us who broke it off: the next to start goes on.
    if (this.stopping.signal.aborted) return this.webhooks.postpone(webhook, new Date(now));
    const waitMs = backOffMs(webhook.attempts);
    if (now + waitMs > webhook.createdAt.getTime() + givenUpAfterMs) return this.giveUp(webhook, fault);
    this.logger.warn(
      `a webhook did not arrive (${fault}): attempt ${webhook.attempts}, the next in ${Math.round(waitMs / 1000)} s`,
    );
    return this.webhooks.postpone(webhook, new Date(now + waitMs));
  }

  /** The words of the receiver are repeated nowhere. Undefined: it has arrived. */
  private async faultOf({ id, body }: ClaimedWebhook): Promise<string | undefined> {
    const headers = webhookHeaders(this.keys, { id, body }, this.clock.now());
    const { signal } = this.stopping;
    try {
      const { status } = await this.receiver.post(this.url ?? '', body, { ...bounds, headers, signal });
      return status >= 200 && status < 300 ? undefined : `status ${status}`;
    } catch (error) {
      const { code, name } = error as NodeJS.ErrnoException;
      return code ?? name;
    }
  }

  /** Never silently. The alert itself stays in the table. */
  private async giveUp({ id, attempts }: ClaimedWebhook, fault: string): Promise<void> {
    this.logger.error(`the webhook ${id} was given up (${fault}) after ${attempts} attempts`);
    await this.webhooks.delete(id);
    const details = { step: 'webhook-given-up', attempts, code: fault };
    this.events.reportLater({
      action: 'sys_error',
      outcome: 'failure',
      target: { type: 'alert-webhook', id },
      details,
    });
  }
}
