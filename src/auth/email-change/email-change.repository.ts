import { Injectable } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import { Database } from '../../database/index.js';
import type { TokenUse } from '../one-time-tokens/one-time-tokens.js';

/** Two mailboxes have to be looked into, one of them maybe a new one. */
const tokenTtlMs = 2 * 60 * 60 * 1000;
const sweptAtOnce = 50;

/** Which mailbox a token was sent to. */
export type Side = 'old' | 'new';

interface NewChange {
  readonly userId: string;
  readonly newEmail: string;
  readonly oldTokenMac: string;
  readonly newTokenMac: string;
}

export interface PendingChange extends NewChange {
  /** The address that the person has now. */
  readonly oldEmail: string;
}

/** Bound to both addresses: a token agrees to this change and to no other. */
export const tokenUse = (side: Side, { userId, oldEmail, newEmail }: Pick<PendingChange, 'userId' | 'oldEmail' | 'newEmail'>): TokenUse => ({
  flow: `email-change-${side}`,
  id: userId,
  address: `${oldEmail} ${newEmail}`,
});

@Injectable()
export class EmailChangeRepository {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  async emailOf(userId: string): Promise<string | undefined> {
    return (await this.database.client.user.findUnique({ where: { id: userId }, select: { email: true } }))?.email;
  }

  async isTaken(email: string): Promise<boolean> {
    return (await this.database.client.user.findFirst({ where: { email }, select: { id: true } })) !== null;
  }

  /** The newest change of a person is the only one: tokens of an older one die with it. */
  async replace({ userId, ...change }: NewChange): Promise<void> {
    const data = { ...change, expiresAt: new Date(this.clock.now().getTime() + tokenTtlMs), oldConfirmedAt: null, newConfirmedAt: null };
    await this.database.client.emailChange.upsert({ where: { userId }, create: { ...data, userId }, update: data, select: { userId: true } });
  }

  /** Bounded, because somebody waits for the answer. */
  async sweep(): Promise<void> {
    await this.database.client.emailChange.deleteMany({ where: { expiresAt: { lte: this.clock.now() } }, limit: sweptAtOnce });
  }

  /** What its owner may know of it. */
  exportOf(userId: string) {
    const select = { newEmail: true, oldConfirmedAt: true, newConfirmedAt: true, expiresAt: true, createdAt: true } as const;
    return this.database.client.emailChange.findUnique({ where: { userId }, select });
  }

  async find(userId: string): Promise<PendingChange | undefined> {
    const found = await this.database.client.emailChange.findFirst({
      where: { userId, expiresAt: { gt: this.clock.now() }, user: { status: 'active' } },
      select: { newEmail: true, oldTokenMac: true, newTokenMac: true, user: { select: { email: true } } },
    });
    if (found === null) return undefined;
    const { user, ...change } = found;
    return { ...change, userId, oldEmail: user.email };
  }

  /** True for exactly one caller per token. The row stays locked until the transaction ends: of the two sides, one comes last. */
  async confirm(side: Side, { userId, oldTokenMac, newTokenMac }: PendingChange): Promise<boolean> {
    const now = this.clock.now();
    const token = side === 'old' ? { oldTokenMac, oldConfirmedAt: null } : { newTokenMac, newConfirmedAt: null };
    const data = side === 'old' ? { oldConfirmedAt: now } : { newConfirmedAt: now };
    const where = { userId, ...token, expiresAt: { gt: now }, user: { status: 'active' } };
    return (await this.database.client.emailChange.updateMany({ where, data })).count === 1;
  }

  async isComplete(userId: string): Promise<boolean> {
    const where = { userId, oldConfirmedAt: { not: null }, newConfirmedAt: { not: null } };
    return (await this.database.client.emailChange.findFirst({ where, select: { userId: true } })) !== null;
  }

  /** Sets the address, and ends what was mailed to the old one. @throws an error that `isUniqueViolation` recognises. */
  async apply({ userId, newEmail }: PendingChange): Promise<void> {
    const { user, passwordReset } = this.database.client;
    await user.update({ where: { id: userId }, data: { email: newEmail, version: { increment: 1 } }, select: { id: true } });
    await passwordReset.deleteMany({ where: { userId } });
    await this.drop(userId);
  }

  /** Drops the change; `together` commits with it, or neither does. */
  giveUp(userId: string, together: () => Promise<void>): Promise<void> {
    return this.database.transaction(async () => {
      await this.drop(userId);
      await together();
    });
  }

  private async drop(userId: string): Promise<void> {
    await this.database.client.emailChange.deleteMany({ where: { userId } });
  }
}
