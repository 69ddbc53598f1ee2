import { Injectable } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { Database } from '../database/index.js';
import type { WaitingMail } from './mail-transport.js';

/** Longer than any attempt takes. An instance that dies keeps its mails from the others for so long, and loses none. */
const leaseMs = 2 * 60 * 1000;

/** A mail that this instance alone may send until its lease ends. */
export interface Claim {
  readonly id: string;
  /** How often somebody has claimed it, this time included. */
  readonly attempts: number;
  readonly createdAt: Date;
}

/** The table of mails that have not left yet. */
@Injectable()
export class OutgoingMails {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  /** Part of the running transaction: what the mail tells of and the mail itself are stored together, or neither. */
  async add(mail: WaitingMail): Promise<void> {
    const now = this.clock.now();
    await this.database.client.outgoingMail.create({
      data: { ...mail, dueAt: now, createdAt: now },
      select: { id: true },
    });
  }

  /**
   * One statement claims: of many instances each gets other rows, without waiting (ASVS v5.0.0-15.4.2). The lease is
   * what brings a claimed mail back when its instance is killed.
   */
  claim(most: number): Promise<Claim[]> {
    const now = this.clock.now();
    return this.database.client.$queryRaw<Claim[]>`
      UPDATE outgoing_mails SET due_at = ${new Date(now.getTime() + leaseMs)}, attempts = attempts + 1
      WHERE id IN (SELECT id FROM outgoing_mails WHERE due_at <= ${now}
        ORDER BY due_at, id LIMIT ${most} FOR UPDATE SKIP LOCKED)
      RETURNING id::text, attempts, created_at AS "createdAt"`;
  }

  /** Null when somebody else has sent it meanwhile. */
  open(id: string): Promise<WaitingMail | null> {
    return this.database.client.outgoingMail.findUnique({
      where: { id },
      select: { id: true, recipient: true, content: true },
    });
  }

  async delete(id: string): Promise<void> {
    await this.database.client.outgoingMail.deleteMany({ where: { id } });
  }

  /** How many wait, and since when the oldest does; null when none does. */
  async waiting(): Promise<{ readonly count: number; readonly since: Date | null }> {
    const { _count: count, _min: oldest } = await this.database.client.outgoingMail.aggregate({
      _count: true,
      _min: { createdAt: true },
    });
    return { count, since: oldest.createdAt };
  }

  /** Only while the claim is ours: after the lease, another instance may have it. */
  async postpone({ id, attempts }: Claim, dueAt: Date): Promise<void> {
    await this.database.client.outgoingMail.updateMany({ where: { id, attempts }, data: { dueAt } });
  }
}
