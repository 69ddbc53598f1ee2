import { Injectable } from '@nestjs/common';
import { SecurityEvents } from '../../common/security-events.js';
import { Database } from '../../database/index.js';
import { AccountStanding, type AccountState } from '../../users/index.js';
import { AdministrationRepository } from './administration.repository.js';
import { actingAs, byOf, type Caller } from './caller.js';

/** Locks accounts and opens them again. */
@Injectable()
export class AccountLocks {
  constructor(
    private readonly accounts: AccountStanding,
    private readonly sessions: AdministrationRepository,
    private readonly database: Database,
    private readonly events: SecurityEvents,
  ) {}

  /**
   * Acts on the next request, on every instance (ASVS v5.0.0-7.4.2). The sessions end for good: whoever locks an account because of
   * a thief must not let the thief in again by opening it.
   * @returns false when the account was in that state already.
   * @throws Problem not-found; conflict for the last administrator.
   */
  change(caller: Caller, userId: string, state: AccountState): Promise<boolean> {
    return this.database.transaction(async () => {
      if (!(await this.accounts.change(userId, state, actingAs(caller, 'user:disable')))) return false;
      const sessions = await this.sessions.endAllOf(userId);
      const action = state === 'disabled' ? 'user_disabled' : 'user_enabled';
      await this.events.record({ action, outcome: 'success', target: { type: 'user', id: userId }, details: { sessions, by: byOf(caller) } });
      return true;
    });
  }
}
