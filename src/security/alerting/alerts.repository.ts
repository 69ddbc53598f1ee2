import { randomUUIDv7 } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { Alert, Severity } from '../../common/events/alerts.js';
import { Clock } from '../../common/clock.js';
import type { Keyset } from '../../common/http/cursors.js';
import { Macs } from '../../common/macs.js';
import { Database } from '../../database/index.js';

/** What was quiet for so long and comes again is told again. */
const pauseSeconds = 5 * 60;
/** Of one rule within that time; this one included. */
const maxTold = 10;
/** So many times as many as when somebody was last told: it is told again. */
const escalation = 10;

/** What was raised since the last time, of one rule and key. */
export interface Raised {
  readonly newest: Alert;
  readonly count: number;
}

/** The row that stands for it. */
export interface Noted {
  readonly id: string;
  readonly count: number;
  readonly firstAt: Date;
  /** This was the moment to tell somebody, and the caller is who does. */
  readonly isTold: boolean;
}

export interface AlertFilter {
  readonly state?: 'open' | 'acknowledged' | undefined;
  readonly severity?: Severity | undefined;
  readonly rule?: string | undefined;
}

const fields = {
  id: true, rule: true, severity: true, key: true, summary: true, runbook: true, details: true, count: true,
  firstAt: true, lastAt: true, acknowledgedBy: true, acknowledgedAt: true,
} as const; // prettier-ignore

/** Alerts as rows: one is open for a rule and key, whichever instances raise it. */
@Injectable()
export class AlertsRepository {
  constructor(
    private readonly database: Database,
    private readonly macs: Macs,
    private readonly clock: Clock,
  ) {}

  /**
   * Counts it in the open row, or opens one. To be called in a transaction: the row stays locked, so that of many
   * instances one tells.
   * @param toldId of the message, if this is the moment for one.
   */
  async note(raised: Raised, toldId: string): Promise<Noted> {
    const incident = this.incidentOf(raised.newest);
    const known = await this.countIn(incident, raised, toldId);
    if (known !== undefined) return known;
    const id = randomUUIDv7();
    const { rule, severity, key, isPersonal = false, summary, runbook, details, at } = raised.newest;
    const { count } = raised;
    const row = { id, rule, severity, key, incident, isPersonal, summary, runbook, count };
    const { count: made } = await this.database.client.storedAlert.createMany({
      data: [{ ...row, details: { ...details }, firstAt: at, lastAt: at, toldId, toldCount: count, toldAt: at }],
      skipDuplicates: true,
    });
    if (made === 1) return { id, count, firstAt: at, isTold: true };
    // Another instance opened it at this moment.
    const theirs = await this.countIn(incident, raised, toldId);
    if (theirs === undefined) throw new Error('an alert was acknowledged while it was stored');
    return theirs;
  }

  /**
   * True when somebody was told of many others of that rule just now: an attack from a thousand networks is a thousand
   * rows, and must not be a thousand messages.
   */
  async isMuted({ rule, at }: Alert): Promise<boolean> {
    const since = new Date(at.getTime() - pauseSeconds * 1000);
    const told = await this.database.client.storedAlert.count({ where: { rule, toldAt: { gt: since, lte: at } } });
    return told > maxTold;
  }

  list({ id, order, take }: Keyset, { state, severity, rule }: AlertFilter) {
    const acknowledgedAt = state === undefined ? undefined : state === 'open' ? null : { not: null };
    return this.database.client.storedAlert.findMany({
      where: { id, severity, rule, acknowledgedAt },
      orderBy: { id: order },
      take,
      select: fields,
    });
  }

  async find(id: string) {
    return (await this.database.client.storedAlert.findUnique({ where: { id }, select: fields })) ?? undefined;
  }

  /** @returns false when somebody has done it before, or there is none. */
  async acknowledge(id: string, userId: string): Promise<boolean> {
    const data = { acknowledgedBy: userId, acknowledgedAt: this.clock.now() };
    const { count } = await this.database.client.storedAlert.updateMany({ where: { id, acknowledgedAt: null }, data });
    return count === 1;
  }

  /** What nothing was added to since: an address is not kept for ever (GDPR article 5). */
  async deleteBefore(time: Date): Promise<void> {
    await this.database.client.storedAlert.deleteMany({ where: { lastAt: { lt: time } } });
  }

  private async countIn(incident: string, { newest, count }: Raised, toldId: string): Promise<Noted | undefined> {
    const { severity, details, at } = newest;
    const [row] = await this.database.client.$queryRaw<Noted[]>`
      UPDATE alerts a SET count = a.count + ${count}, severity = ${severity},
        details = ${JSON.stringify(details)}::jsonb, last_at = GREATEST(a.last_at, ${at}),
        told_id = CASE WHEN due.tells THEN ${toldId}::uuid ELSE a.told_id END,
        told_count = CASE WHEN due.tells THEN a.count + ${count} ELSE a.told_count END,
        told_at = CASE WHEN due.tells THEN ${at} ELSE a.told_at END
      FROM (SELECT id, abs(extract(epoch FROM ${at}::timestamptz - last_at)) >= ${pauseSeconds}
              OR count + ${count} >= told_count * ${escalation} AS tells
            FROM alerts WHERE incident = ${incident} AND acknowledged_at IS NULL FOR UPDATE) due
      WHERE a.id = due.id
      RETURNING a.id::text, a.count, a.first_at AS "firstAt", due.tells AS "isTold"`;
    return row;
  }

  /** Under a key of another time it is another incident: somebody is told once more. */
  private incidentOf({ rule, key }: Alert): string {
    const { keyId, mac } = this.macs.sign('audit', ['alert', rule, key]);
    return `${keyId}.${mac.toString('base64url')}`;
  }
}
