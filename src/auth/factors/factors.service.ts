import { Injectable } from '@nestjs/common';
import { KnownDevices } from '../../common/access/known-devices.js';
import type { Person } from '../../common/access/principal.js';
import { SecurityEvents, type SecurityAction, type SecurityEvent } from '../../common/events/security-events.js';
import { Problem, unauthenticated } from '../../common/http/problem.js';
import { AccountLock, UsersService } from '../../users/index.js';
import { SessionRepository } from '../sessions/session.repository.js';
import type { SignedInView, TokensView } from '../sessions/sessions.dto.js';
import { SessionsService } from '../sessions/sessions.service.js';
import { factorAdded, factorFailed } from './factors.events.js';
import { SecondFactors, type SecondFactor } from './second-factors.js';

/** Why a code does not count: for the audit trail. The caller is not told. */
export type CodeFault = 'wrong' | 'used' | 'not-enrolled';

/** The same for every fault, and what to do about the one that its owner cannot see: a clock that is wrong. */
const refusedCode =
  'The code is wrong, too old or already used. Wait for the next one. If none is accepted, ' +
  'set the date and time of the phone to automatic.';

export interface Enrolled<T> {
  readonly stored: T;
  /** Null for a person who has codes already. */
  readonly recoveryCodes: string[] | null;
  /** The whole sign-in of somebody who had to enrol a factor; null for a caller who was signed in already. */
  readonly tokens: TokensView | null;
}

/**
 * Makes recovery codes for whoever enrols a factor, in that transaction. With the first one all codes of before go:
 * whoever knows the password may have made them, to get around the factor that comes now (abuse case A2-6).
 */
export type CodesMaker = (userId: string, isFirstFactor: boolean) => Promise<string[] | null>;

/** What goes with every change and every proof of a person's second factors, whichever method it is. */
@Injectable()
export class FactorsService {
  /** Until recovery codes register theirs, nobody gets any. */
  makeCodes: CodesMaker = () => Promise.resolve(null);

  constructor(
    private readonly lock: AccountLock,
    private readonly factors: SecondFactors,
    private readonly sessions: SessionsService,
    private readonly repository: SessionRepository,
    private readonly users: UsersService,
    private readonly devices: KnownDevices,
    private readonly events: SecurityEvents,
  ) {}

  /**
   * Stores a factor that the caller has just proved. A session that was opened to enrol a factor becomes a whole
   * sign-in by it.
   * @param store runs in the transaction; a throw undoes all of it.
   */
  async enrol<T>(principal: Person, factor: SecondFactor, store: () => Promise<T>): Promise<Enrolled<T>> {
    const { userId, enrolmentDue, methods } = principal;
    const { begun, ...enrolled } = await this.lock.hold(userId, async () => ({
      ...(await this.add(principal, factor, store)),
      begun: enrolmentDue ? await this.sessions.open({ userId, methods: [...methods, factor.method] }) : undefined,
    }));
    return { ...enrolled, tokens: begun === undefined ? null : await this.sessions.issue(begun) };
  }

  /**
   * One change, its audit event about the caller, and the end of the caller's other sessions (ASVS v5.0.0-7.4.3): all
   * of it or nothing.
   */
  change<T>(
    { userId, sessionId }: Pick<Person, 'userId' | 'sessionId'>,
    event: Pick<SecurityEvent, 'action' | 'details' | 'actorId'>,
    work: () => Promise<T>,
  ): Promise<T> {
    return this.lock.hold(userId, async (account) => {
      await this.sessions.assertOpen(sessionId);
      await this.factors.enrolledAsSealed(account);
      const done = await work();
      const names = await this.factors.namesToSeal(userId);
      if (names.length !== account.secondFactors.length) await this.lock.keepSecondFactors(account, names);
      await this.events.recordInTransaction({ ...event, outcome: 'success', target: { type: 'user', id: userId } });
      await this.sessions.endAllOf(userId, 'credential-changed', sessionId);
      // The own session lives on, but what is remembered of it may be old.
      await this.repository.announceEnd(sessionId);
      return done;
    });
  }

  /**
   * The step from half a sign-in to a whole one, by a code.
   * @param use uses the code up, or tells what is wrong with it: in the transaction of the new session.
   * @throws Problem `unauthenticated`, the same for every fault; `conflict` when nothing is due.
   */
  async prove(
    principal: Person,
    { name, method }: SecondFactor,
    use: () => Promise<CodeFault | undefined>,
  ): Promise<SignedInView> {
    const { userId, sessionId, factorDue, enrolmentDue, methods } = principal;
    // In a whole session a code by itself would pass for the full proof that @StepUp() demands (ASVS v5.0.0-7.5.1).
    if (!factorDue || enrolmentDue)
      throw new Problem('conflict', 'No second factor is due. To prove who you are again, sign in again.');
    const inTransaction = async () => {
      // A session that was ended since the guard saw it, by its owner, an administrator or another code, must not live
      // on as a new one.
      if ((await this.sessions.end(sessionId, 'new-login')) === undefined) throw unauthenticated();
      const fault = await use();
      // One answer for a code that is wrong, used or of nobody: whoever guesses learns nothing (abuse case A2-6).
      if (fault !== undefined) throw this.denied(factorFailed, userId, { factor: name, reason: fault });
    };
    const email = await this.users.emailOf(userId);
    if (email === undefined) throw unauthenticated();
    const tokens = await this.sessions.signIn({ userId, methods: [...methods, method], inTransaction });
    // Now the device is known: the password alone did not make it so.
    return { ...tokens, deviceToken: this.devices.issue(email) };
  }

  /**
   * The same answer for a code that should have confirmed a factor of one's own. It is none yet, so nobody is mailed
   * that one was attacked.
   */
  deniedFirst(userId: string, { name: factor }: SecondFactor, reason: CodeFault): Problem {
    return this.denied('input_validation_fail', userId, { factor, reason });
  }

  private add<T>(principal: Person, { name, method }: SecondFactor, store: () => Promise<T>) {
    const { userId, sessionId, enrolmentDue } = principal;
    return this.change(principal, { action: factorAdded, details: { factor: name } }, async () => {
      const isFirst = (await this.factors.enrolledBy(userId)).length === 0;
      // Two sessions may wait to enrol the first factor, one of them a thief's: what the guard saw is asked again under
      // the lock (A2-6).
      if (enrolmentDue && !isFirst) throw new Problem('conflict', 'A second factor is enrolled already.');
      if (!(await this.repository.addMethod(sessionId, method))) throw unauthenticated();
      return { stored: await store(), recoveryCodes: await this.makeCodes(userId, isFirst) };
    });
  }

  private denied(action: SecurityAction, userId: string, details: { factor: string; reason: CodeFault }): Problem {
    this.events.reportLater({ action, outcome: 'denied', target: { type: 'user', id: userId }, details });
    return unauthenticated(refusedCode);
  }
}
