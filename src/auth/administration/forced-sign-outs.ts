import { Injectable } from '@nestjs/common';
import { Problem } from '../../common/problem.js';
import { SecurityEvents } from '../../common/security-events.js';
import { Database } from '../../database/index.js';
import { AccountStanding } from '../../users/index.js';
import { SessionStates } from '../authentication/session-states.js';
import { AdministrationRepository } from './administration.repository.js';
import { actingAs, byOf, type Caller } from './caller.js';

/** Ends sessions in an incident: of one person, or of everyone (ASVS v5.0.0-7.4.5). */
@Injectable()
export class ForcedSignOuts {
  constructor(
    private readonly accounts: AccountStanding,
    private readonly sessions: AdministrationRepository,
    private readonly database: Database,
    private readonly states: SessionStates,
    private readonly events: SecurityEvents,
  ) {}

  /** @returns how many sessions were open. @throws Problem not-found. */
  of(caller: Caller, userId: string): Promise<number> {
    return this.database.transaction(async () => {
      // A sign-in that runs at this moment is waited for, or begins no session.
      const person = await this.accounts.lock({ id: userId, keepsAdministrator: true, acting: actingAs(caller, 'user:sign-out') });
      if (person === undefined) throw new Problem('not-found');
      const ended = await this.sessions.endAllOf(userId);
      const details = { sessions: ended, by: byOf(caller) };
      await this.events.record({ action: 'session_expired', outcome: 'success', target: { type: 'user', id: userId }, details });
      return ended;
    });
  }

  /**
   * Ends every session that has begun by now, the caller's too: nobody knows whose was stolen. In parts, each with its audit event;
   * when one fails, those before it stay ended, and the call can be repeated. @returns how many.
   */
  async ofEveryone(caller: Caller): Promise<number> {
    const newest = await this.sessions.newestSession();
    let [sum, ended] = [0, 0];
    if (newest === undefined) return sum;
    do {
      ended = await this.endSome(caller, { newest, isFirst: sum === 0 });
      sum += ended;
    } while (ended > 0);
    return sum;
  }

  private async endSome(caller: Caller, { newest, isFirst }: { newest: string; isFirst: boolean }): Promise<number> {
    const sessions = await this.database.transaction(async () => {
      // Asked once: the first part may end the caller's own session.
      const acting = isFirst ? actingAs(caller, 'user:sign-out') : undefined;
      if (acting !== undefined) await this.accounts.lock({ id: acting.principal.userId, keepsAdministrator: true, acting });
      const ended = await this.sessions.endSome(newest);
      const details = { everyone: true, sessions: ended, by: byOf(caller) };
      if (ended > 0) await this.events.record({ action: 'session_expired', outcome: 'success', details });
      return ended;
    });
    await this.states.announceEndOfAll();
    return sessions;
  }
}
