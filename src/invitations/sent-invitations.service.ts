import { Injectable } from '@nestjs/common';
import type { Principal } from '../common/access/principal.js';
import { defineAction, SecurityEvents } from '../common/events/security-events.js';
import { Database } from '../database/index.js';
import { SharesService } from '../resources/index.js';
import type { Invite, SentInvitationListView } from './invitations.dto.js';
import { InvitationsRepository } from './invitations.repository.js';
import { Offers } from './offers.js';

const invited = defineAction('share_invited');

const invitationRevoked = defineAction('share_invitation_revoked');

/** What owners do with the invitations to their resources. */
@Injectable()
export class SentInvitationsService {
  constructor(
    private readonly offers: Offers,
    private readonly invitations: InvitationsRepository,
    private readonly shares: SharesService,
    private readonly database: Database,
    private readonly events: SecurityEvents,
  ) {}

  /**
   * Never asks whether the address has an account, so that neither answer nor time can tell (ASVS v5.0.0-6.3.8). Nor
   * does the sender learn that no mail was sent: it is the addressee's matter.
   * @throws Problem forbidden or not-found for everybody but the owner of the resource.
   */
  async invite(principal: Principal, resourceId: string, invite: Invite): Promise<void> {
    await this.offers.sweep();
    await this.database.transaction(async () => {
      await this.shares.holdOwned(principal, resourceId);
      const refused = await this.offers.make({ ...invite, resourceId, senderId: principal.userId });
      // A success to the sender, whose export shows outcomes; why there was no mail is for the operator.
      const details = { role: invite.role, ...(refused === undefined ? {} : { withheld: refused }) };
      await this.events.recordInTransaction({
        action: invited,
        outcome: 'success',
        target: { type: 'resource', id: resourceId },
        details,
      });
    });
  }

  async list(principal: Principal, resourceId: string): Promise<SentInvitationListView> {
    const items = await this.invitations.listSent(principal, resourceId);
    if (items.length === 0) await this.shares.expectOwner(principal, resourceId);
    return { items };
  }

  revoke(principal: Principal, resourceId: string, id: string): Promise<void> {
    return this.database.transaction(async () => {
      if (!(await this.invitations.revoke(principal, resourceId, id)))
        throw await this.shares.refusal(principal, resourceId);
      await this.events.recordInTransaction({
        action: invitationRevoked,
        outcome: 'success',
        target: { type: 'invitation', id },
      });
    });
  }
}
