import { randomUUIDv7 } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { Mailer } from '../mail/index.js';
import { invitationLimits } from './invitation.limits.js';
import { invitationMail } from './invitation.mails.js';
import type { Invite } from './invitations.dto.js';
import { InvitationsRepository } from './invitations.repository.js';
import { InvitedAddressesRepository, type Admission } from './invited-addresses.repository.js';
import { OptOutTokens } from './opt-out-tokens.js';

interface Offer extends Invite {
  readonly resourceId: string;
  readonly senderId: string;
}

/** The row of an invitation and its mail, in the running transaction. */
@Injectable()
export class Offers {
  constructor(
    private readonly invitations: InvitationsRepository,
    private readonly addresses: InvitedAddressesRepository,
    private readonly tokens: OptOutTokens,
    private readonly mailer: Mailer,
    private readonly clock: Clock,
  ) {}

  /**
   * There is one invitation of an address to a resource: a second one renews it, and sends mail a day later at the
   * earliest.
   * The row is made also where no mail may go, and whoever sees it cannot tell: the sender has no part in the
   * addressee's matters.
   * @returns why no mail was sent; undefined when it was, or was not due.
   */
  async make(offer: Offer): Promise<Admission['refused']> {
    const { resourceId, email, role } = offer;
    const now = this.clock.now();
    const open = await this.invitations.findSent(resourceId, email);
    if (open !== null && now.getTime() - open.offeredAt.getTime() < invitationLimits.mailAgainAfterMs) {
      await this.invitations.renew(open.id, { role });
      return undefined;
    }
    const { id: addressId, refused } = await this.addresses.admit(email);
    if (open === null) await this.invitations.create({ ...offer, id: randomUUIDv7(), addressId });
    else await this.invitations.renew(open.id, { role, offeredAt: now });
    if (refused === undefined) await this.mailer.send(email, invitationMail(this.tokens.create(addressId)));
    return refused;
  }

  /** Addresses of people who never answered are not kept. */
  async sweep(): Promise<void> {
    await this.invitations.sweep();
    await this.addresses.sweep();
  }
}
