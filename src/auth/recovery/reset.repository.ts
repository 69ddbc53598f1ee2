import { Injectable } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import { Macs } from '../../common/macs.js';
import { Database } from '../../database/index.js';

/** Long enough to find the mail, short enough that an open mailbox of later is no way in (ASVS v5.0.0-6.4.1). */
const tokenTtlMs = 15 * 60 * 1000;
const sweptAtOnce = 50;

/** Whoever asks is to get a token by mail. */
export interface NewReset {
  readonly id: string;
  readonly email: string;
  /** null: the address has no account, and the row is there only to cost what the others cost. */
  readonly userId: string | null;
  readonly tokenMac: string;
}

@Injectable()
export class ResetRepository {
  constructor(
    private readonly database: Database,
    private readonly macs: Macs,
    private readonly clock: Clock,
  ) {}

  /** Reads no sealed cell, so that it costs the same whether or not somebody is there. */
  async findUserId(email: string): Promise<string | null> {
    return (await this.database.client.user.findFirst({ where: { email, status: 'active' }, select: { id: true } }))?.id ?? null;
  }

  /** The newest request for an address is the only one: the older token dies with its row (ASVS v5.0.0-6.6.2). */
  async replace({ email, id, userId, tokenMac }: NewReset): Promise<void> {
    const [addressMac = '', ...retired] = this.macs.keyedWithAllKeys('one-time-token', email);
    const { passwordReset } = this.database.client;
    if (retired.length > 0) await passwordReset.deleteMany({ where: { addressMac: { in: retired } } });
    const expiresAt = new Date(this.clock.now().getTime() + tokenTtlMs);
    const data = { id, userId, tokenMac, expiresAt };
    await passwordReset.upsert({ where: { addressMac }, create: { ...data, addressMac }, update: data, select: { id: true } });
  }

  /** With the owner's present address, which the token has to be bound to. */
  async find(id: string) {
    const owner = { select: { id: true, email: true, name: true, status: true } } as const;
    const reset = await this.database.client.passwordReset.findFirst({
      where: { id, expiresAt: { gt: this.clock.now() } },
      select: { id: true, tokenMac: true, user: owner },
    });
    return reset?.user?.status === 'active' ? { id, tokenMac: reset.tokenMac, owner: reset.user } : undefined;
  }

  /** True for exactly one caller, however many present the token at once: the row is the token, and a row is deleted once. */
  async consume({ id, tokenMac }: { id: string; tokenMac: string }): Promise<boolean> {
    const { count } = await this.database.client.passwordReset.deleteMany({ where: { id, tokenMac, expiresAt: { gt: this.clock.now() } } });
    return count === 1;
  }

  /** Bounded, because somebody waits for the answer. */
  async sweep(): Promise<void> {
    await this.database.client.passwordReset.deleteMany({ where: { expiresAt: { lte: this.clock.now() } }, limit: sweptAtOnce });
  }
}
