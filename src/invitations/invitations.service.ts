import { Injectable } from '@nestjs/common';
import { Cursors, type PageQuery } from '../common/http/cursors.js';
import type { Principal } from '../common/access/principal.js';
import { Problem } from '../common/http/problem.js';
import { defineAction, SecurityEvents } from '../common/events/security-events.js';
import { Database } from '../database/index.js';
import { SharesService, type ShareRole, type ShareView } from '../resources/index.js';
import type { InvitationListView } from './invitations.dto.js';
import { InvitationsRepository, withTitle } from './invitations.repository.js';

const declined = defineAction('share_declined');

/** What people do with the invitations to the address of their account. It was proved before the account was made. */
@Injectable()
export class InvitationsService {
  constructor(
    private readonly invitations: InvitationsRepository,
    private readonly shares: SharesService,
    private readonly cursors: Cursors,
    private readonly database: Database,
    private readonly events: SecurityEvents,
  ) {}

  async list(principal: Principal, query: PageQuery): Promise<InvitationListView> {
    const email = present(await this.invitations.addressOf(principal));
    const page = await this.cursors.page(principal, ['invitations'], query, (keyset) =>
      this.invitations.list(email, keyset),
    );
    return { ...page, items: page.items.map(withTitle) };
  }

  /**
   * Once, and only for whoever has the address now. Somebody else's, a revoked, an expired and a used one are one 404
   * (abuse case A6-3).
   * When the share is refused, the invitation stays.
   */
  accept(principal: Principal, id: string): Promise<ShareView> {
    return this.database.transaction(async () => {
      const email = present(await this.invitations.holdAddressOf(principal));
      const { resourceId } = (await this.invitations.find({ id, email })) ?? this.throwDenied(id);
      return this.shares.accept(principal, resourceId, async () => {
        // Asked anew, now that the resource is held and its owner can change nothing more; the deletion decides.
        const offer = await this.invitations.find({ id, email });
        if (offer === null || !(await this.invitations.take({ id, email }))) return this.throwDenied(id);
        return offer.role as ShareRole;
      });
    });
  }

  decline(principal: Principal, id: string): Promise<void> {
    return this.database.transaction(async () => {
      const email = present(await this.invitations.holdAddressOf(principal));
      if (!(await this.invitations.take({ id, email }))) this.throwDenied(id);
      await this.events.recordInTransaction({
        action: declined,
        outcome: 'success',
        target: { type: 'invitation', id },
      });
    });
  }

  /** Honest clients answer what they were shown, so it is told. */
  private throwDenied(id: string): never {
    this.events.reportLater({ action: 'authz_fail', outcome: 'denied', target: { type: 'invitation', id } });
    throw new Problem('not-found');
  }
}

/** The account may have been erased a moment ago. */
const present = (email: string | undefined): string => {
  if (email === undefined) throw new Problem('not-found');
  return email;
};
