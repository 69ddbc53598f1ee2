import { Injectable } from '@nestjs/common';
import type { Principal } from '../common/access/principal.js';
import { invitationLimits } from './invitation.limits.js';
import { InvitationsRepository, withTitle } from './invitations.repository.js';
import { InvitedAddressesRepository } from './invited-addresses.repository.js';

/**
 * What an export of personal data has of invitations: those to the address of the account, and those that its owner
 * sent.
 */
@Injectable()
export class InvitationExport {
  constructor(
    private readonly invitations: InvitationsRepository,
    private readonly addresses: InvitedAddressesRepository,
  ) {}

  async read(principal: Principal) {
    const email = (await this.invitations.addressOf(principal)) ?? '';
    const newest = { id: undefined, order: 'desc', take: invitationLimits.receivedInExport } as const;
    const received = (await this.invitations.list(email, newest)).map(withTitle);
    return {
      received,
      sent: await this.invitations.exportSent(principal),
      optedOutAt: await this.addresses.optedOutAt(email),
    };
  }
}
