import { Injectable } from '@nestjs/common';
import { AuthoritySeals, type Sealed, type AccountStatus } from '../common/access/authority-seals.js';
import { user } from '../common/access/permissions.js';
import type { Keyset } from '../common/http/cursors.js';
import type { Principal } from '../common/access/principal.js';
import { Database } from '../database/index.js';
import type { UpdateAccount } from './users.dto.js';

const ownFields = { id: true, email: true, name: true, phone: true, roles: true, createdAt: true } as const;
const listedFields = { id: true, email: true, phone: true, roles: true, status: true, createdAt: true } as const;

/** Somebody who signs up. */
export interface NewUser {
  /** UUIDv7. */
  readonly id: string;
  readonly email: string;
  readonly name: string;
}

@Injectable()
export class UsersRepository {
  constructor(
    private readonly database: Database,
    private readonly seals: AuthoritySeals,
  ) {}

  findAccount(principal: Principal) {
    return this.database.client.user.findUnique({ where: { id: principal.userId }, select: ownFields });
  }

  updateAccount(principal: Principal, { name, phone }: UpdateAccount) {
    const data = { name, phone, version: { increment: 1 } };
    return this.database.client.user.update({ where: { id: principal.userId }, data, select: ownFields });
  }

  async create({ id, email, name }: NewUser): Promise<void> {
    const account = { id, roles: [user], status: 'active', secondFactors: [] };
    const data = { ...account, email, name, authorityMac: this.seals.ofAccount(account) };
    await this.database.client.user.create({ data, select: { id: true } });
  }

  async changeEmail(id: string, email: string): Promise<void> {
    const data = { email, version: { increment: 1 } };
    await this.database.client.user.update({ where: { id }, data, select: { id: true } });
  }

  find(_: Principal, id: string) {
    return this.database.client.user.findUnique({ where: { id }, select: listedFields });
  }

  list(_: Principal, { id, order, take }: Keyset) {
    return this.database.client.user.findMany({ where: { id }, orderBy: { id: order }, take, select: listedFields });
  }

  /**
   * The next ones are for operators too, who have no principal: the command line is behind the machine's own access
   * control.
   * @param account as it was read under a lock: what is written is sealed.
   */
  async changeAuthority(account: AccountStatus): Promise<void> {
    const { id, roles, status } = account;
    const data = {
      roles: [...roles],
      status,
      authorityMac: this.seals.ofAccount(account),
      version: { increment: 1 },
    };
    await this.database.client.user.updateMany({ where: { id }, data });
  }

  async changeSecondFactors(account: AccountStatus): Promise<void> {
    const { id, secondFactors } = account;
    const data = { secondFactors: [...secondFactors], authorityMac: this.seals.ofAccount(account) };
    await this.database.client.user.updateMany({ where: { id }, data });
  }

  /** As the database says now: what the guard saw may be two seconds old. */
  async isSessionOpen(id: string): Promise<boolean> {
    return (await this.database.client.session.count({ where: { id, endedAt: null } })) === 1;
  }

  findEmail(id: string) {
    return this.database.client.user.findUnique({ where: { id }, select: { email: true } });
  }

  findByEmail(email: string) {
    return this.database.client.user.findFirst({ where: { email }, select: { id: true, status: true } });
  }

  /** One person, locked until the transaction ends. Opens no cell. */
  async lock(id: string): Promise<Sealed<AccountStatus> | undefined> {
    const [row] = await this.database.client.$queryRaw<Sealed<AccountStatus>[]>`
      SELECT id::text, roles, status, second_factors AS "secondFactors", authority_mac AS "authorityMac" FROM users
      WHERE id = ${id}::uuid FOR NO KEY UPDATE`;
    return row;
  }

  /**
   * The people and all administrators, locked until the transaction ends: two administrators who demote each other at
   * the same time must not both succeed (ASVS v5.0.0-15.4.2). One statement: rows that it waited for are given as they
   * are then, and all who lock do it in the order of the ids, so that none waits for another in a circle.
   */
  lockWithAdministrators(ids: readonly string[]): Promise<Sealed<AccountStatus>[]> {
    return this.database.client.$queryRaw`
      SELECT id::text, roles, status, second_factors AS "secondFactors", authority_mac AS "authorityMac" FROM users
      WHERE id = ANY (${[...ids]}::uuid[]) OR ('admin' = ANY (roles) AND status = 'active') ORDER BY id FOR UPDATE`;
  }
}
