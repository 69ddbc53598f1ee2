import { Injectable } from '@nestjs/common';
import type { Principal } from '../../common/principal.js';
import { Problem } from '../../common/problem.js';
import { SecurityEvents, type SecurityEvent } from '../../common/security-events.js';
import { PersonLock } from './person-lock.js';
import { SecondFactors, standsAlone, type SecondFactor } from './second-factors.js';
import { Sessions } from './sessions.js';
import { SignIns } from './sign-ins.js';
import type { TokensView } from './tokens.view.js';

export interface NewFactor {
  readonly factor: SecondFactor;
  /** The RFC 8176 value that the caller has proved by enrolling it. */
  readonly method: string;
}

export interface Enrolled<T> {
  readonly stored: T;
  /** The whole sign-in of somebody who had to enrol a factor; null for a caller who was signed in already. */
  readonly tokens: TokensView | null;
}

/** What goes with every change of a person's second factors, whichever method it is. */
@Injectable()
export class FactorChanges {
  constructor(
    private readonly lock: PersonLock,
    private readonly factors: SecondFactors,
    private readonly sessions: Sessions,
    private readonly signIns: SignIns,
    private readonly events: SecurityEvents,
  ) {}

  /**
   * Stores a factor that the caller has just proved. A session that was opened to enrol a factor becomes a whole sign-in by it.
   * @param store runs in the transaction; a throw undoes all of it. It is told whether no factor was in force before.
   */
  async enrol<T>(principal: Principal, factor: NewFactor, store: (isFirst: boolean) => Promise<T>): Promise<Enrolled<T>> {
    const { userId, enrolmentDue } = principal;
    const { stored, begun } = await this.lock.hold(userId, async () => ({
      stored: await this.add(principal, factor, store),
      begun: enrolmentDue ? await this.signIns.open({ userId, methods: [...principal.methods, factor.method] }) : null,
    }));
    return { stored, tokens: begun && (await this.signIns.issue(begun)) };
  }

  /** One change, its audit event about the caller, and the end of the caller's other sessions (ASVS v5.0.0-7.4.3): all of it or nothing. */
  change<T>({ userId, sessionId }: Principal, event: Pick<SecurityEvent, 'action' | 'details'>, work: () => Promise<T>): Promise<T> {
    return this.lock.hold(userId, async (standing) => {
      await this.sessions.demandOpen(sessionId);
      await this.factors.enrolledAsSealed(standing);
      const done = await work();
      const enrolled = (await this.factors.enrolledBy(userId)).filter(standsAlone);
      if (enrolled.length !== standing.secondFactors.length) await this.lock.keepSecondFactors(standing, enrolled);
      await this.events.record({ ...event, outcome: 'success', target: { type: 'user', id: userId } });
      await this.sessions.endAllOf(userId, 'credential-changed', sessionId);
      // The own session lives on, but what is remembered of it may be old.
      await this.sessions.announceEnd(sessionId);
      return done;
    });
  }

  private add<T>(principal: Principal, { factor, method }: NewFactor, store: (isFirst: boolean) => Promise<T>): Promise<T> {
    const { userId, sessionId, enrolmentDue } = principal;
    return this.change(principal, { action: 'authn_factor_added', details: { factor } }, async () => {
      const isFirst = (await this.factors.enrolledBy(userId)).length === 0;
      // Two sessions may wait to enrol the first factor, one of them a thief's: what the guard saw is asked again under the lock (A2-6).
      if (enrolmentDue && !isFirst) throw new Problem('conflict', 'A second factor is enrolled already.');
      await this.sessions.addMethod(sessionId, method);
      return store(isFirst);
    });
  }
}
