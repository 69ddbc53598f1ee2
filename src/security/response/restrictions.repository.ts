import { randomUUIDv7 } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Database } from '../../database/index.js';

/**
 * `block`: nobody of this network is answered. `lockdown`: nobody writes. `recheck`: whatever instances remember of
 * callers may be out of date.
 */
type Kind = 'block' | 'lockdown' | 'recheck';

export interface Restriction {
  readonly id: string;
  readonly kind: string;
  readonly network: string | null;
  readonly expiresAt: Date;
}

/** More than anybody sets by hand; what is beyond them ends first, and counts no more. */
const maxActive = 10_000;

@Injectable()
export class RestrictionsRepository {
  constructor(private readonly database: Database) {}

  active(now: Date): Promise<Restriction[]> {
    const where = { expiresAt: { gt: now } };
    return this.database.client.restriction.findMany({ where, orderBy: { expiresAt: 'desc' }, take: maxActive });
  }

  /** In place of one of the same kind and network. What has ended goes, too. */
  async set(kind: Kind, network: string | null, { now, expiresAt }: { now: Date; expiresAt: Date }): Promise<void> {
    const { client } = this.database;
    await client.restriction.deleteMany({ where: { OR: [{ expiresAt: { lte: now } }, { kind, network }] } });
    await client.restriction.create({ data: { id: randomUUIDv7(), kind, network, expiresAt } });
  }

  /** @returns false when there was none. */
  async lift(kind: Kind, network: string | null, now: Date): Promise<boolean> {
    const where = { kind, network, expiresAt: { gt: now } };
    return (await this.database.client.restriction.deleteMany({ where })).count > 0;
  }
}
