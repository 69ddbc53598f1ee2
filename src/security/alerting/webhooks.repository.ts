import { Injectable } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import { Database } from '../../database/index.js';

/** Longer than any attempt takes. An instance that dies keeps its webhooks from the others for so long. */
const leaseMs = 60_000;

/** A webhook that this instance alone may send until its lease ends. */
export interface ClaimedWebhook {
  readonly id: string;
  readonly body: string;
  /** This one included. */
  readonly attempts: number;
  readonly createdAt: Date;
}

/** The queue of webhooks, in the database: a restart loses none. */
@Injectable()
export class WebhooksRepository {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  /** Part of the running transaction. */
  async add(id: string, body: string): Promise<void> {
    const now = this.clock.now();
    await this.database.client.alertWebhook.create({ data: { id, body, dueAt: now, createdAt: now } });
  }

  /** One statement claims: of many instances each gets other rows (ASVS v5.0.0-15.4.2). */
  claim(most: number): Promise<ClaimedWebhook[]> {
    const now = this.clock.now();
    return this.database.client.$queryRaw<ClaimedWebhook[]>`
      UPDATE alert_webhooks SET due_at = ${new Date(now.getTime() + leaseMs)}, attempts = attempts + 1
      WHERE id IN (SELECT id FROM alert_webhooks WHERE due_at <= ${now}
        ORDER BY due_at, id LIMIT ${most} FOR UPDATE SKIP LOCKED)
      RETURNING id::text, body, attempts, created_at AS "createdAt"`;
  }

  /** Only while the claim is ours. */
  async postpone({ id, attempts }: ClaimedWebhook, dueAt: Date): Promise<void> {
    await this.database.client.alertWebhook.updateMany({ where: { id, attempts }, data: { dueAt } });
  }

  async delete(id: string): Promise<void> {
    await this.database.client.alertWebhook.deleteMany({ where: { id } });
  }
}
