import { Injectable } from '@nestjs/common';
import { Database } from '../../database/index.js';
import { newKeyPair } from './signing-key.js';

const changeLock = 7_202_611;

/**
 * A key is published before it signs (`next`), signs (`active`), verifies what it signed (`retired`), and is deleted.
 */
export type SigningKeyState = 'next' | 'active' | 'retired';

@Injectable()
export class SigningKeyRepository {
  constructor(private readonly database: Database) {}

  /** Whoever else wants to change the keys waits until the running transaction ends, and then finds them changed. */
  async lockChanges(): Promise<void> {
    await this.database.client.$executeRaw`SELECT pg_advisory_xact_lock(${changeLock}::bigint)`;
  }

  /** Opens no cell: every instance asks every two seconds. */
  list() {
    return this.database.client.signingKey.findMany({
      select: { id: true, state: true, createdAt: true, retiredAt: true },
      orderBy: { id: 'asc' },
    });
  }

  privateKeysOf(ids: string[]) {
    return this.database.client.signingKey.findMany({
      where: { id: { in: ids } },
      select: { id: true, privateJwk: true },
    });
  }

  create(state: SigningKeyState, createdAt: Date) {
    return this.database.client.signingKey.create({
      data: { ...newKeyPair(), state, createdAt },
      select: { id: true, createdAt: true },
    });
  }

  async isNext(id: string): Promise<boolean> {
    return (await this.database.client.signingKey.count({ where: { id, state: 'next' } })) === 1;
  }

  /** The old key goes first: the database lets one key be active (signing_keys_one_active). */
  async replaceActive(id: string, retiredAt: Date): Promise<void> {
    const { signingKey } = this.database.client;
    await signingKey.updateMany({ where: { state: 'active' }, data: { state: 'retired', retiredAt } });
    await signingKey.updateMany({ where: { id, state: 'next' }, data: { state: 'active' } });
  }

  async deleteRetired(until: Date): Promise<number> {
    const where = { state: 'retired', OR: [{ retiredAt: { lte: until } }, { retiredAt: null }] };
    return (await this.database.client.signingKey.deleteMany({ where })).count;
  }

  async deleteAll(): Promise<number> {
    return (await this.database.client.signingKey.deleteMany({})).count;
  }
}
