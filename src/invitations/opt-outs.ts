import { Injectable } from '@nestjs/common';
import { defineAction, SecurityEvents } from '../common/events/security-events.js';
import { Database } from '../database/index.js';
import { InvitedAddressesRepository } from './invited-addresses.repository.js';
import { OptOutTokens } from './opt-out-tokens.js';

const optedOut = defineAction('share_opted_out');

/** No more invitations to a mailbox, from anybody. */
@Injectable()
export class OptOuts {
  constructor(
    private readonly tokens: OptOutTokens,
    private readonly addresses: InvitedAddressesRepository,
    private readonly database: Database,
    private readonly events: SecurityEvents,
  ) {}

  /**
   * Open invitations can no longer be seen or accepted there. A token that is wrong, or whose mailbox was forgotten,
   * changes nothing and looks the same.
   */
  async optOut(token: string): Promise<void> {
    const id = this.tokens.idIn(token);
    if (id === undefined) {
      this.events.reportLater({
        action: 'authn_token_fail',
        outcome: 'denied',
        details: { reason: 'one-time-token', flow: 'invitation-opt-out' },
      });
      return;
    }
    await this.database.transaction(async () => {
      if (!(await this.addresses.optOut(id))) return;
      await this.events.recordInTransaction({
        action: optedOut,
        outcome: 'success',
        target: { type: 'invited-address', id },
      });
    });
  }
}
