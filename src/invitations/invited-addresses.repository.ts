import { randomUUIDv7 } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { mailboxOf } from '../common/mail-address.js';
import { Database } from '../database/index.js';
import { invitationLimits } from './invitation.limits.js';

/** Whether mail may go to a mailbox, and the id of its row. */
export interface Admission {
  readonly id: string;
  readonly refused: 'opted-out' | 'mailbox-limit' | undefined;
}

/** Which mailboxes got invitations, how many today, and which want none. */
@Injectable()
export class InvitedAddressesRepository {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  /**
   * Counts one more mail, or refuses it. The row stays locked until the transaction ends, so that senders at once count
   * exactly.
   */
  async admit(email: string): Promise<Admission> {
    const { invitedAddress } = this.database.client;
    const id = await this.idOf(mailboxOf(email));
    const today = this.today();
    await invitedAddress.updateMany({ where: { id, day: { lt: today } }, data: { day: today, mails: 0 } });
    const room = { id, optedOutAt: null, mails: { lt: invitationLimits.mailsPerMailboxAndDay } };
    if ((await invitedAddress.updateMany({ where: room, data: { mails: { increment: 1 } } })).count === 1)
      return { id, refused: undefined };
    const row = await invitedAddress.findUnique({ where: { id }, select: { optedOutAt: true } });
    return { id, refused: row?.optedOutAt ? 'opted-out' : 'mailbox-limit' };
  }

  /** @returns false when it was done before, or the mailbox is forgotten. */
  async optOut(id: string): Promise<boolean> {
    const data = { optedOutAt: this.clock.now() };
    return (
      (await this.database.client.invitedAddress.updateMany({ where: { id, optedOutAt: null }, data })).count === 1
    );
  }

  /** When the mailbox opted out. */
  async optedOutAt(email: string): Promise<Date | null> {
    const where = { email: mailboxOf(email) };
    return (
      (await this.database.client.invitedAddress.findFirst({ where, select: { optedOutAt: true } }))?.optedOutAt ?? null
    );
  }

  /** What others sent to the address. That its mailbox wants no invitations stays known, or they would begin again. */
  async forget(email: string): Promise<void> {
    const { invitation, invitedAddress } = this.database.client;
    const mailbox = { email: mailboxOf(email) };
    // Locks the mailbox first, as whoever invites it does, so that neither waits for the other in a circle.
    await invitedAddress.updateMany({ where: mailbox, data: { mails: { increment: 0 } } });
    await invitation.deleteMany({ where: { email } });
    await invitedAddress.deleteMany({ where: { ...mailbox, optedOutAt: null, invitations: { none: {} } } });
  }

  async sweep(): Promise<void> {
    const day = { lt: new Date(this.today().getTime() - invitationLimits.mailboxKeptMs) };
    await this.database.client.invitedAddress.deleteMany({
      where: { day, optedOutAt: null },
      limit: invitationLimits.sweptAtOnce,
    });
  }

  private async idOf(email: string): Promise<string> {
    const { invitedAddress } = this.database.client;
    const find = () => invitedAddress.findFirst({ where: { email }, select: { id: true } });
    const known = await find();
    if (known !== null) return known.id;
    const id = randomUUIDv7();
    // Somebody else may make the same row at this moment: theirs is found then, and counted.
    await invitedAddress.createMany({ data: [{ id, email, day: this.today() }], skipDuplicates: true });
    return (await find())?.id ?? id;
  }

  private today(): Date {
    return new Date(this.clock.now().toISOString().slice(0, 10));
  }
}
