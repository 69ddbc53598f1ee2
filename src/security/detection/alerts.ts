import { AsyncLocalStorage } from 'node:async_hooks';
import { Inject, Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import { requestContext } from '../../common/http/request-context.js';
import {
  SecurityEvents,
  type SecurityAction,
  type SecurityEvent,
  type SecurityEventSink,
} from '../../common/events/security-events.js';
import { CONFIG, type Config } from '../../config/index.js';
import { Mailer } from '../../mail/index.js';
import { meaningOf } from './alarming.js';
import { detectionSettings } from './detection.settings.js';

/**
 * One mail per kind of alarm in so long: a thousand spoiled cells are one incident. Each is logged and in the audit
 * trail.
 */
const betweenMailsMs = 5 * 60 * 1000;

/** Tells the operator within seconds (practice 10.3). Ids only: neither a value nor a person's data is in an alarm. */
@Injectable()
export class Alerts implements SecurityEventSink, OnModuleInit {
  private readonly logger = new Logger('Alerts');
  /** Events come from inside of transactions that may be rolled back, and the alarm must not be. */
  private readonly outsideOfRequests = AsyncLocalStorage.snapshot();
  private readonly mailedAt = new Map<SecurityAction, number>();

  constructor(
    private readonly events: SecurityEvents,
    private readonly mailer: Mailer,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  onModuleInit(): void {
    this.events.subscribe(this);
  }

  async recordInTransaction(event: SecurityEvent): Promise<void> {
    this.reportLater(event);
  }

  /** Nothing of an alarm has to be part of the change, so a batch stays one. */
  statements(event: SecurityEvent): readonly [] {
    this.reportLater(event);
    return [];
  }

  reportLater(event: SecurityEvent): void {
    const meaning = meaningOf(event.action);
    if (meaning === undefined) return;
    const facts = factsOf(event);
    this.logger.error(`alarm ${event.action}: ${meaning} (${facts.join(', ')})`);
    const to = this.config.of(detectionSettings).ALERT_EMAIL;
    if (to === undefined || this.wasMailedLately(event.action)) return;
    const content = {
      subject: `Alarm: ${event.action}`,
      body: [
        meaning,
        { code: facts.join('\n') },
        'Further alarms of this kind within five minutes are in the log and the audit trail only.',
      ],
    };
    this.outsideOfRequests(() => {
      this.mailer
        .send(to, () => content)
        .catch((error: unknown) => this.logger.error('an alarm could not be queued', error));
    });
  }

  private wasMailedLately(action: SecurityAction): boolean {
    const now = this.clock.now().getTime();
    if (now - (this.mailedAt.get(action) ?? 0) < betweenMailsMs) return true;
    this.mailedAt.set(action, now);
    return false;
  }
}

/** What leads to the audit event and to the request's log line. */
function factsOf({ target, outcome, details = {} }: SecurityEvent): string[] {
  const request = requestContext()?.requestId;
  return [
    `outcome: ${outcome}`,
    ...(target === undefined ? [] : [`target: ${target.type} ${target.id}`]),
    ...(request === undefined ? [] : [`request: ${request}`]),
    ...Object.entries(details).map(([name, value]) => `${name}: ${String(value)}`),
  ];
}
