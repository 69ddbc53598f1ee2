import { Injectable } from '@nestjs/common';
import { SecurityEvents, type SecurityAction } from '../../common/security-events.js';
import { Database } from '../../database/index.js';
import { unauthenticated } from '../authentication/unauthenticated.js';
import { SessionStates } from '../authentication/session-states.js';
import { OwnSessionRepository } from './own-session.repository.js';
import { SessionRepository, type EndReason, type NewSession } from './session.repository.js';

interface Ending {
  readonly reason: EndReason;
  readonly action: SecurityAction;
  /** Whose session it has to be; left out: anybody's. */
  readonly userId?: string | undefined;
}

/** Makes and ends sessions, each with its audit event in the same transaction. */
@Injectable()
export class Sessions {
  constructor(
    private readonly database: Database,
    private readonly repository: SessionRepository,
    private readonly own: OwnSessionRepository,
    private readonly states: SessionStates,
    private readonly events: SecurityEvents,
  ) {}

  /**
   * To be called while the person's lock is held, in that transaction.
   * @param session its id is a new one, whatever the caller came with (ASVS v5.0.0-7.2.4).
   */
  async create(session: NewSession) {
    const { userId, methods, factorDue } = session;
    await this.recordEnds(await this.own.endSurplus(userId), 'too-many-sessions');
    const created = await this.repository.create(session);
    const target = { type: 'session', id: created.id };
    await this.events.record({ action: 'authn_login_success', outcome: 'success', actorId: userId, target, details: { methods, factorDue } });
    return created;
  }

  /** Whether the user has signed in before. The row of the newest session stays until the next one begins. */
  hasAny(userId: string): Promise<boolean> {
    return this.repository.hasAny(userId);
  }

  /**
   * Ends the session on every instance, with its audit event in the same transaction.
   * @returns its user, or undefined when it had ended before: then nothing is recorded.
   */
  end(sessionId: string, reason: EndReason, action: SecurityAction = 'session_expired'): Promise<string | undefined> {
    return this.endIf(sessionId, { reason, action });
  }

  /** The same, only when it is a session of that user; undefined also when it is not. */
  endOwn(userId: string, sessionId: string): Promise<string | undefined> {
    return this.endIf(sessionId, { reason: 'ended-by-user', action: 'session_expired', userId });
  }

  private endIf(sessionId: string, { reason, action, userId }: Ending): Promise<string | undefined> {
    return this.database.transaction(async () => {
      await this.announceEnd(sessionId);
      const owner = await this.repository.end(sessionId, reason, userId);
      if (owner === undefined) return undefined;
      const target = { type: 'session', id: sessionId };
      const outcome = action === 'session_expired' ? 'success' : 'denied';
      await this.events.record({ action, outcome, actorId: owner, target, details: { reason } });
      return owner;
    });
  }

  /**
   * Ends every session of the user, but for one: part of whatever changes a credential (ASVS v5.0.0-7.4.3). To be called while the
   * person's lock is held, or a session that begins at this moment is not seen.
   */
  async endAllOf(userId: string, reason: EndReason, except?: string): Promise<void> {
    await this.recordEnds(await this.repository.endAllOf(userId, reason, except), reason);
  }

  /**
   * To be called first under the person's lock: a thief's request may have waited for the very change that ended the thief's session
   * (ASVS v5.0.0-8.3.2).
   * @throws Problem unauthenticated
   */
  async demandOpen(sessionId: string): Promise<void> {
    if (!(await this.repository.isOpen(sessionId))) throw unauthenticated();
  }

  /** The method counts as proved in the session. @throws Problem unauthenticated when the session is not what it was. */
  async addMethod(sessionId: string, method: string): Promise<void> {
    if (!(await this.repository.addMethod(sessionId, method))) throw unauthenticated();
  }

  /** Makes every instance forget what it knows of the session, once the running transaction has committed. */
  announceEnd(sessionId: string): Promise<void> {
    return this.database.afterCommit(() => this.states.announceEnd(sessionId));
  }

  private async recordEnds(ids: readonly string[], reason: EndReason): Promise<void> {
    for (const id of ids) {
      await this.announceEnd(id);
      await this.events.record({ action: 'session_expired', outcome: 'success', target: { type: 'session', id }, details: { reason } });
    }
  }
}
