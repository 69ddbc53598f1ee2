import { Inject, Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import { Macs } from '../../common/macs.js';
import { PersonalData } from '../../common/events/personal-data.js';
import { SecurityEvents, type SecurityEvent, type SecurityEventSink } from '../../common/events/security-events.js';
import { Database, type Insertion } from '../../database/index.js';
import { insertBatch } from './audit-batch.repository.js';
import { toEntry, type AuditEntry } from './audit-entry.js';
import { AuditWriter } from './audit-writer.js';
import { eventsSection } from './audit.export.js';
import { RepeatedRefusals } from './repeated-refusals.js';

const flushEveryMs = 200;
/** A refusal costs its caller one request; it must not cost the service more than this much memory. */
const maxWaiting = 10_000;

/** Writes security events to `audit_events`: changes in their own transaction, refusals in batches a moment later. */
@Injectable()
export class AuditTrail implements SecurityEventSink, OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger('AuditTrail');
  private waiting: AuditEntry[] = [];
  private readonly repeated: RepeatedRefusals;
  private readonly writer: AuditWriter;
  private dropped = 0;
  private writing: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(Macs) private readonly macs: Macs,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(SecurityEvents) private readonly events: SecurityEvents,
    @Inject(PersonalData) private readonly personalData: PersonalData,
  ) {
    this.repeated = new RepeatedRefusals(macs);
    const insert = (rows: readonly AuditEntry[]) => insertBatch(database, rows);
    this.writer = new AuditWriter(insert, (row, error) => this.setAside(row, error));
  }

  onModuleInit(): void {
    this.personalData.add(eventsSection, ({ userId }) => this.eventsOf(userId));
    this.events.subscribe(this);
    // Started here, outside of every request: a timer made in a request would inherit its transaction.
    this.timer = setInterval(() => void this.flush(), flushEveryMs).unref();
  }

  /** Part of the business transaction: without its event, the change does not happen. */
  async recordInTransaction(event: SecurityEvent): Promise<void> {
    await this.database.insert(this.rows(event));
  }

  rows(event: SecurityEvent): [Insertion] {
    return [{ model: 'AuditEvent', data: this.entry(event) }];
  }

  reportLater(event: SecurityEvent): void {
    const entry = this.entry(event);
    if (event.outcome !== 'success' && !this.repeated.isFirst(entry)) return;
    if (this.waiting.length >= maxWaiting) this.dropped++;
    else this.waiting.push(entry);
  }

  /** Writes what waits, one batch at a time. What the database does not take stays for the next time. */
  flush(): Promise<void> {
    this.writing ??= this.write().finally(() => (this.writing = undefined));
    return this.writing;
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.writing;
    this.waiting.push(...this.repeated.summaries(this.clock.now(), true));
    for (let before = Number.POSITIVE_INFINITY; this.waiting.length > 0 && this.waiting.length < before;) {
      before = this.waiting.length;
      await this.flush();
    }
    if (this.waiting.length > 0)
      this.logger.error(`${this.waiting.length} refusals could not be written to the audit trail`);
  }

  private async write(): Promise<void> {
    this.waiting.push(...this.repeated.summaries(this.clock.now()));
    const batch = this.waiting.slice(0, 500);
    if (batch.length === 0) return;
    const left = await this.writer.write(batch);
    this.waiting = [...left, ...this.waiting.slice(batch.length)];
    if (left.length === batch.length || this.dropped === 0) return;
    this.logger.error(`${this.dropped} refusals were dropped from the audit trail: too many waited`);
    this.dropped = 0;
  }

  /**
   * Never in silence: whoever reads the log and the alarms learns which event is missing. Its details may be what is
   * unstorable.
   */
  private setAside(row: AuditEntry, error: unknown): void {
    const { id, action, outcome, actorId, sessionId, targetType, requestId, network } = row;
    const event = { id, at: row.at.toISOString(), action, outcome, actorId, sessionId, targetType, requestId, network };
    this.logger.error({
      'message': 'an audit event was set aside: the database does not take it',
      'event.action': 'audit_write_fail',
      event,
      error,
    });
    // The event about the event may be just as unstorable: the line has to do then.
    if (action !== 'audit_write_fail')
      this.events.reportLater({ action: 'audit_write_fail', outcome: 'failure', details: { event: id, action } });
  }

  /** The newest thousand, for the export of personal data. */
  private eventsOf(actorId: string) {
    return this.database.client.auditEvent.findMany({
      where: { actorId },
      orderBy: { id: 'desc' },
      take: 1000,
      select: { id: true, at: true, action: true, outcome: true, targetType: true, targetId: true, network: true },
    });
  }

  private entry(event: SecurityEvent): AuditEntry {
    return toEntry(event, this.clock.now(), this.macs);
  }
}
