import { Injectable } from '@nestjs/common';
import type { Principal } from '../../common/principal.js';
import { Problem } from '../../common/problem.js';
import { RefreshCookie } from '../browser/index.js';
import { OwnSessionRepository } from './own-session.repository.js';
import { PersonLock } from './person-lock.js';
import { Sessions } from './sessions.js';
import type { SessionsView } from './sessions.view.js';

/** What people see of their sessions, and how they end those of a device that they have lost (ASVS v5.0.0-7.5.2). */
@Injectable()
export class OwnSessions {
  constructor(
    private readonly repository: OwnSessionRepository,
    private readonly sessions: Sessions,
    private readonly lock: PersonLock,
    private readonly cookie: RefreshCookie,
  ) {}

  async list({ userId, sessionId }: Principal): Promise<SessionsView> {
    const open = await this.repository.listOpen(userId);
    return { items: open.map(({ factorDue, refreshedAt, ...session }) => ({ ...session, lastSeenAt: refreshedAt, secondFactorDue: factorDue, current: session.id === sessionId })) };
  }

  /** @throws Problem `not-found`, the same for a session of somebody else, one that has ended and one that never was. */
  async endOne(principal: Principal, id: string): Promise<void> {
    const owner = await this.sessions.endOwn(principal.userId, id);
    if (owner === undefined) throw new Problem('not-found');
    if (id === principal.sessionId) this.forgetHere(principal);
  }

  async endOthers(principal: Principal): Promise<void> {
    await this.endAllBut(principal, principal.sessionId);
  }

  async endAll(principal: Principal): Promise<void> {
    await this.endAllBut(principal);
    this.forgetHere(principal);
  }

  private endAllBut({ userId, sessionId }: Principal, except?: string): Promise<void> {
    return this.lock.hold(userId, async () => {
      await this.sessions.demandOpen(sessionId);
      await this.sessions.endAllOf(userId, 'ended-by-user', except);
    });
  }

  private forgetHere({ inBrowser }: Principal): void {
    if (inBrowser) this.cookie.clear();
  }
}
