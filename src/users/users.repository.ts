import { Injectable } from '@nestjs/common';
import { mailboxOf } from '../common/mail-address.js';
import type { Keyset } from '../common/cursors.js';
import type { Principal } from '../common/principal.js';
import { Database } from '../database/index.js';
import { FieldEncryptionError } from '../security/data-protection/index.js';
import type { UpdateAccount } from './users.dto.js';

const account = { id: true, email: true, name: true, phone: true, roles: true, createdAt: true } as const;
const listed = { id: true, email: true, phone: true, roles: true, status: true, createdAt: true } as const;

/** What a person may, as far as administration is concerned. */
export interface Standing {
  readonly roles: readonly string[];
  readonly status: string;
}

@Injectable()
export class UsersRepository {
  constructor(private readonly database: Database) {}

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

  /** The next ones are for operators too, who have no principal: the command line is behind the machine's own access control. */
  async changeRoles(id: string, roles: readonly string[]): Promise<boolean> {
    const { count } = await this.database.client.user.updateMany({ where: { id }, data: { roles: [...roles], version: { increment: 1 } } });
    return count === 1;
  }

  /** Opens nothing. */
  async exists(id: string): Promise<boolean> {
    return (await this.database.client.user.findUnique({ where: { id }, select: { id: true } })) !== null;
  }

  async changeStatus(id: string, status: string): Promise<boolean> {
    const { count } = await this.database.client.user.updateMany({ where: { id, status: { not: status } }, data: { status, version: { increment: 1 } } });
    return count === 1;
  }

  findByEmail(email: string) {
    return this.database.client.user.findFirst({ where: { email }, select: { id: true } });
  }

  /**
   * The person and all administrators, locked until the transaction ends: two administrators who demote each other at the same time
   * must not both succeed (ASVS v5.0.0-15.4.2). One statement: rows that it waited for are given as they are then, and all who lock do it
   * in the order of the ids, so that none waits for another in a circle.
   */
  lockWithAdministrators(id: string): Promise<(Standing & { readonly id: string })[]> {
    return this.database.client.$queryRaw`
      SELECT id::text, roles, status FROM users
      WHERE id = ${id}::uuid OR ('admin' = ANY (roles) AND status = 'active') ORDER BY id FOR UPDATE`;
  }
}
