import { Injectable } from '@nestjs/common';
import { Problem } from '../../common/problem.js';
import { SecurityEvents } from '../../common/security-events.js';
import { Database } from '../../database/index.js';
import { AccountStanding } from '../../users/index.js';
import { Recovery } from '../recovery/recovery.js';
import { AdministrationRepository } from './administration.repository.js';
import { actingAs, byOf, type Caller } from './caller.js';

/** A password that may be known to others. The administrator says so, and only its owner, by mail, chooses the next (ASVS v5.0.0-6.4.6). */
@Injectable()
export class ForcedResets {
  constructor(
    private readonly accounts: AccountStanding,
    private readonly people: AdministrationRepository,
    private readonly recovery: Recovery,
    private readonly database: Database,
    private readonly events: SecurityEvents,
  ) {}

  /**
   * Neither the password nor a passkey signs anybody in any more, every session ends, and the token for a new password leaves by mail: all or nothing.
   * @throws Problem not-found; conflict for an account without a password.
   */
  async begin(caller: Caller, userId: string): Promise<void> {
    await this.database.transaction(async () => {
      await this.accounts.lock({ id: userId, keepsAdministrator: true, acting: actingAs(caller, 'user:reset-password') });
      const person = await this.people.find(userId);
      if (person === null) throw new Problem('not-found');
      // First, because whoever resets a password locks the token before the password: in another order the two could wait for each other.
      // A locked account has no way back but the administrator's; once it is open, its owner asks for a token.
      if (person.status === 'active') await this.recovery.forgot(person.email);
      if (!(await this.people.demandReset(userId))) throw new Problem('conflict', 'The account has no password.');
      const sessions = await this.people.endAllOf(userId);
      await this.events.record({ action: 'authn_reset_forced', outcome: 'success', target: { type: 'user', id: userId }, details: { sessions, by: byOf(caller) } });
    });
  }
}
