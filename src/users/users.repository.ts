import { Injectable } from '@nestjs/common';
import { AuthoritySeals, type Sealed, type Standing } from '../common/authority-seals.js';
import { mailboxOf } from '../common/mail-address.js';
import type { Keyset } from '../common/cursors.js';
import type { Principal } from '../common/principal.js';
import { Database } from '../database/index.js';
import { FieldEncryptionError } from '../security/data-protection/index.js';
import type { UpdateAccount } from './users.dto.js';

const account = { id: true, email: true, name: true, phone: true, roles: true, createdAt: true } as const;
const listed = { id: true, email: true, phone: true, roles: true, status: true, createdAt: true } as const;

@Injectable()
export class UsersRepository {
  constructor(
    private readonly database: Database,
    private readonly seals: AuthoritySeals,
  ) {}

  findAccount(principal: Principal) {
    return this.database.client.user.findUnique({ where: { id: principal.userId }, select: account });
  }

  updateAccount(principal: Principal, { name, phone }: UpdateAccount) {
    const data = { name, phone, version: { increment: 1 } };
    return this.database.client.user.update({ where: { id: principal.userId }, data, select: account });
  }

  /**
   * What others wrote under ids of their own with the person's address, before the address goes: registrations, which take their own
   * keys along (trigger registrations_drop_data_key), and invitations.
   */
  async deleteWhatNamesAddressOf(id: string): Promise<void> {
    const email = await this.addressOf(id);
    if (email === undefined) return;
    await this.database.client.registration.deleteMany({ where: { email } });
    await this.deleteInvitationsTo(email);
  }

  /** What others sent to the address. That its mailbox wants no invitations stays known, or they would begin again. */
  private async deleteInvitationsTo(email: string): Promise<void> {
    const { invitation, invitedAddress } = this.database.client;
    const mailbox = { email: mailboxOf(email) };
    // Locks the mailbox first, as whoever invites it does, so that neither waits for the other in a circle.
    await invitedAddress.updateMany({ where: mailbox, data: { mails: { increment: 0 } } });
    await invitation.deleteMany({ where: { email } });
    await invitedAddress.deleteMany({ where: { ...mailbox, optedOutAt: null, invitations: { none: {} } } });
  }

  /** Undefined where it does not open: a restore may bring back the cells of a destroyed key. What others wrote to it then lives until it expires. */
  private async addressOf(id: string): Promise<string | undefined> {
    try {
      return (await this.database.client.user.findUnique({ where: { id }, select: { email: true } }))?.email;
    } catch (error) {
      if (!(error instanceof FieldEncryptionError)) throw error;
      return undefined;
    }
  }

  find(_: Principal, id: string) {
    return this.database.client.user.findUnique({ where: { id }, select: listed });
  }

  list(_: Principal, { id, order, take }: Keyset) {
    return this.database.client.user.findMany({ where: { id }, orderBy: { id: order }, take, select: listed });
  }

  /**
   * The next ones are for operators too, who have no principal: the command line is behind the machine's own access control.
   * @param standing as it was read under the lock of `lockWithAdministrators()`: what is written is sealed.
   */
  async changeStanding({ id, roles, status, secondFactors }: Standing): Promise<void> {
    const authorityMac = this.seals.ofStanding({ id, roles, status, secondFactors });
    const data = { roles: [...roles], status, authorityMac, version: { increment: 1 } };
    await this.database.client.user.updateMany({ where: { id }, data });
  }

  /** As the database says now: what the guard saw may be two seconds old. */
  async isSessionOpen(id: string): Promise<boolean> {
    return (await this.database.client.session.count({ where: { id, endedAt: null } })) === 1;
  }

  findByEmail(email: string) {
    return this.database.client.user.findFirst({ where: { email }, select: { id: true } });
  }

  /**
   * The people and all administrators, locked until the transaction ends: two administrators who demote each other at the same time
   * must not both succeed (ASVS v5.0.0-15.4.2). One statement: rows that it waited for are given as they are then, and all who lock do it
   * in the order of the ids, so that none waits for another in a circle.
   */
  lockWithAdministrators(ids: readonly string[]): Promise<Sealed<Standing>[]> {
    return this.database.client.$queryRaw`
      SELECT id::text, roles, status, second_factors AS "secondFactors", authority_mac AS "authorityMac" FROM users
      WHERE id = ANY (${[...ids]}::uuid[]) OR ('admin' = ANY (roles) AND status = 'active') ORDER BY id FOR UPDATE`;
  }
}
