import { notExported } from '../../common/events/personal-data.js';
import { Injectable } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import { Database } from '../../database/index.js';

// A change of address that waits is a section of its feature.
notExported('OneTimeToken', 'nothing but a secret; that it was asked for is among the events');

/** Expired rows go with requests, and somebody waits for the answer. */
const sweptAtOnce = 50;

export interface NewToken {
  /** UUIDv7. */
  readonly id: string;
  readonly purpose: string;
  readonly userId?: string | undefined;
  readonly addressMac?: string | undefined;
  readonly tokenMac: string;
  readonly payload?: string | undefined;
  readonly expiresAt: Date;
}

/** Which tokens a newer one replaces: those of the address, under whichever key, and those of the user. */
export interface Replaced {
  readonly purposes: readonly string[];
  readonly addressMacs: readonly string[];
  readonly userId: string | undefined;
}

const fields = {
  id: true,
  purpose: true,
  tokenMac: true,
  payload: true,
  user: { select: { id: true, email: true, name: true, status: true } },
} as const;

@Injectable()
export class OneTimeTokenRepository {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  /** Deletes what is replaced, and some of what has expired. The same for an address with and without an account. */
  async makeRoom({ purposes, addressMacs, userId }: Replaced): Promise<void> {
    await this.database.client.$executeRaw`
      WITH swept AS (DELETE FROM one_time_tokens WHERE id IN (
        SELECT id FROM one_time_tokens WHERE expires_at <= ${this.clock.now()}
        LIMIT ${sweptAtOnce} FOR UPDATE SKIP LOCKED))
      DELETE FROM one_time_tokens WHERE purpose = ANY (${[...purposes]})
        AND (address_mac = ANY (${[...addressMacs]}) OR user_id = ${userId ?? null}::uuid)`;
  }

  async add(tokens: readonly NewToken[]): Promise<void> {
    await this.database.client.oneTimeToken.createMany({ data: [...tokens] });
  }

  find(id: string, purposes: readonly string[]) {
    return this.database.client.oneTimeToken.findFirst({
      where: { id, ...this.open(purposes) },
      select: fields,
    });
  }

  /** The newest that is open for the address. Reads no sealed cell, so that it costs the same when there is none. */
  async findIdFor(purpose: string, addressMacs: readonly string[]): Promise<string | undefined> {
    const found = await this.database.client.oneTimeToken.findFirst({
      where: { ...this.open([purpose]), addressMac: { in: [...addressMacs] } },
      orderBy: { id: 'desc' },
      select: { id: true },
    });
    return found?.id;
  }

  /** The older token is worth nothing from now on. Changes nothing for an unknown id. */
  async renew(id: string, data: Pick<NewToken, 'tokenMac' | 'expiresAt'>): Promise<void> {
    await this.database.client.oneTimeToken.updateMany({ where: { id }, data });
  }

  /**
   * True for exactly one caller, however many present the token at once: the row is the token, and a row is deleted
   * once. False when another one was made for the address at the same moment: the newest is the only one (ASVS
   * v5.0.0-6.6.2).
   */
  async consume({ id, tokenMac }: Pick<NewToken, 'id' | 'tokenMac'>): Promise<boolean> {
    const count = await this.database.client.$executeRaw`
      DELETE FROM one_time_tokens t
      WHERE id = ${id}::uuid AND token_mac = ${tokenMac} AND expires_at > ${this.clock.now()}
        AND NOT EXISTS (SELECT FROM one_time_tokens newer
          WHERE newer.purpose = t.purpose AND newer.address_mac = t.address_mac AND newer.id > t.id)`;
    return count === 1;
  }

  /** Deletes the token, whoever presents it. @returns its MAC; undefined for one that is not open. */
  async take(id: string, purpose: string): Promise<string | undefined> {
    const [row] = await this.database.client.$queryRaw<{ tokenMac: string }[]>`
      DELETE FROM one_time_tokens WHERE id = ${id}::uuid AND purpose = ${purpose} AND expires_at > ${this.clock.now()}
      RETURNING token_mac AS "tokenMac"`;
    return row?.tokenMac;
  }

  /** True for exactly one caller. */
  async markUsed({ id, tokenMac }: Pick<NewToken, 'id' | 'tokenMac'>, proof: string): Promise<boolean> {
    const { count } = await this.database.client.oneTimeToken.updateMany({
      where: { id, tokenMac, usedAt: null, expiresAt: { gt: this.clock.now() } },
      data: { usedAt: this.clock.now(), tokenMac: proof },
    });
    return count === 1;
  }

  /** Of those that stay after their use. */
  listUsed(userId: string, purposes: readonly string[]) {
    return this.database.client.oneTimeToken.findMany({
      where: { userId, purpose: { in: [...purposes] }, usedAt: { not: null } },
      select: { id: true, purpose: true, tokenMac: true },
    });
  }

  /** What the person may know of them. */
  listOf(userId: string, purposes: readonly string[]) {
    return this.database.client.oneTimeToken.findMany({
      where: { userId, purpose: { in: [...purposes] } },
      select: { purpose: true, payload: true, usedAt: true, expiresAt: true, createdAt: true },
    });
  }

  /** @param purposes left out: whatever they are for. */
  async deleteOf(userId: string, purposes?: readonly string[]): Promise<void> {
    const purpose = purposes === undefined ? {} : { purpose: { in: [...purposes] } };
    await this.database.client.oneTimeToken.deleteMany({ where: { userId, ...purpose } });
  }

  async deleteFor(addressMacs: readonly string[]): Promise<void> {
    await this.database.client.oneTimeToken.deleteMany({ where: { addressMac: { in: [...addressMacs] } } });
  }

  private open(purposes: readonly string[]) {
    return { purpose: { in: [...purposes] }, usedAt: null, expiresAt: { gt: this.clock.now() } };
  }
}
