import { Injectable } from '@nestjs/common';
import { Revocations } from '../../common/access/revocations.js';
import { askOperator, declareNotice } from '../../common/events/notice-texts.js';
import {
  defineAction,
  SecurityEvents,
  type SecurityAction,
  type SecurityEvent,
} from '../../common/events/security-events.js';
import { Problem } from '../../common/http/problem.js';
import { Database } from '../../database/index.js';
import { AccountLock, type AccountState } from '../../users/index.js';
import { SessionRepository } from '../sessions/session.repository.js';
import { AdministrationRepository } from './administration.repository.js';
import { actingAs, administrationPermissions, byOf, type Caller } from './caller.js';

const userEnabled = declareNotice(
  defineAction('user_enabled'),
  askOperator('Your account was enabled again', 'Your account was enabled again by an administrator.'),
);

const userDisabled = declareNotice(
  defineAction('user_disabled'),
  askOperator('Your account was disabled', 'Your account was disabled by an administrator. Nobody can sign in to it.'),
);

/** Of all sessions, or of those from a network: some, up to the newest. */
interface Part {
  readonly newest: string;
  readonly network: string | undefined;
  readonly isFirst: boolean;
}

/** Locks accounts, and ends sessions in an incident: for administrators, and for operators on the machine. */
@Injectable()
export class AdministrationService {
  constructor(
    private readonly accounts: AccountLock,
    private readonly sessions: SessionRepository,
    private readonly repository: AdministrationRepository,
    private readonly database: Database,
    private readonly revocations: Revocations,
    private readonly events: SecurityEvents,
  ) {}

  /**
   * Acts on the next request, on every instance (ASVS v5.0.0-7.4.2). The sessions end for good: whoever locks an
   * account because of a thief must not let the thief in again by opening it.
   * @returns false when the account was in that state already.
   * @throws Problem not-found; conflict for the last administrator.
   */
  changeStatus(caller: Caller, userId: string, state: AccountState): Promise<boolean> {
    return this.database.transaction(async () => {
      if (!(await this.accounts.changeState(userId, state, actingAs(caller, administrationPermissions.disable))))
        return false;
      await this.endAllOf(caller, userId, state === 'disabled' ? userDisabled : userEnabled);
      return true;
    });
  }

  /** Ends every session of one person. @returns how many were open. @throws Problem not-found. */
  signOut(caller: Caller, userId: string): Promise<number> {
    return this.database.transaction(async () => {
      // A sign-in that runs at this moment is waited for, or begins no session.
      const person = await this.accounts.lockWithAdministrators({
        id: userId,
        keepsAdministrator: true,
        acting: actingAs(caller, administrationPermissions.signOut),
      });
      if (person === undefined) throw new Problem('not-found');
      return this.endAllOf(caller, userId, 'session_expired');
    });
  }

  /** In the running transaction, with the event of what they end for. @returns how many were open. */
  async endAllOf(caller: Caller, userId: string, action: SecurityAction): Promise<number> {
    const { length: sessions } = await this.sessions.endAllOf(userId, 'ended-by-administrator');
    const details = { sessions, by: byOf(caller) };
    await this.events.recordInTransaction({
      action,
      outcome: 'success',
      target: { type: 'user', id: userId },
      details,
    });
    return sessions;
  }

  /**
   * Ends every session that has begun by now, the caller's too: nobody knows whose was stolen (ASVS v5.0.0-7.4.5). In
   * parts, each with its audit event; when one fails, those before it stay ended, and the call can be repeated.
   * @param network only sessions that began, or were renewed, from there: an IPv4 address, or the /64 of an IPv6 one.
   * @returns how many.
   */
  async signOutEveryone(caller: Caller, network?: string): Promise<number> {
    const newest = await this.repository.newestSession();
    let [sum, ended] = [0, 0];
    if (newest === undefined) return sum;
    do {
      ended = await this.endSome(caller, { newest, network, isFirst: sum === 0 });
      sum += ended;
    } while (ended > 0);
    return sum;
  }

  private async endSome(caller: Caller, { newest, network, isFirst }: Part): Promise<number> {
    const sessions = await this.database.transaction(async () => {
      // Asked once: the first part may end the caller's own session.
      const acting = isFirst ? actingAs(caller, administrationPermissions.signOut) : undefined;
      if (acting !== undefined)
        await this.accounts.lockWithAdministrators({ id: acting.principal.userId, keepsAdministrator: true, acting });
      const ended = await (network === undefined
        ? this.repository.endSome(newest)
        : this.repository.endSomeFrom(network, newest));
      const whose: SecurityEvent['details'] = network === undefined ? { everyone: true } : { network };
      const details = { ...whose, sessions: ended, by: byOf(caller) };
      if (ended > 0) await this.events.recordInTransaction({ action: 'session_expired', outcome: 'success', details });
      return ended;
    });
    await this.revocations.announce('everyone');
    return sessions;
  }
}
