import { Injectable } from '@nestjs/common';
import type { ExposedText } from '../../common/access/exposed-credentials.js';
import type { Person } from '../../common/access/principal.js';
import { declareNotice, secureAccount } from '../../common/events/notice-texts.js';
import { SecurityEvents, type SecurityAction } from '../../common/events/security-events.js';
import { coarseNetworkOf } from '../../common/http/network.js';
import { Problem, unauthenticated } from '../../common/http/problem.js';
import { requestContext } from '../../common/http/request-context.js';
import { Database } from '../../database/index.js';
import { AccountLock } from '../../users/index.js';
import { SecondFactors, type DueFactor } from '../factors/second-factors.js';
import { deviceLabel } from './device-label.js';
import { SessionTokens, type RefreshClaims } from './session-tokens.js';
import { SessionRepository, type EndReason, type NewSession } from './session.repository.js';
import type { SessionsView, TokensView } from './sessions.dto.js';

/** What tokens of ours look like in a text: access tokens have three parts, refresh tokens two. */
export const tokenPattern = /[\w-]{1,512}\.[\w-]{40,2048}(?:\.[\w-]{40,512})?/g;

export interface SignIn {
  readonly userId: string;
  /** RFC 8176 values of what the user has proved, for example `pwd` and `otp`. */
  readonly methods: readonly string[];
  /**
   * The refresh token goes into a cookie that scripts cannot read. What follows a session in a browser is in the
   * browser too.
   */
  readonly inBrowser?: boolean;
  /**
   * Runs first in the transaction that makes the session: for what has to hold, or to be used up, with it. A throw
   * undoes all of it.
   */
  readonly inTransaction?: () => Promise<void>;
  /** When the person proved who they are, where somebody else saw it. Left out: now. */
  readonly authenticatedAt?: Date;
}

/** A session whose tokens have not been written yet. */
export interface Begun {
  readonly session: Awaited<ReturnType<SessionRepository['create']>>;
  readonly due: readonly DueFactor[];
}

export interface CredentialChange {
  readonly userId: string;
  readonly action: SecurityAction;
  /** The session that asked, where it may live on. */
  readonly except?: string;
}

declareNotice(
  'authn_new_device',
  secureAccount('A sign-in from a new device', ({ details }) => {
    // A passkey tells nothing of the device that it is used on: what is new is the passkey.
    const what = details?.['method'] === 'passkey' ? 'with a passkey' : 'on a device';
    return `Somebody signed in to your account ${what} that was not used for it before.`;
  }),
);

declareNotice('authn_token_reuse', {
  ...secureAccount(
    'You were signed out for your safety',
    'An old sign-in of your account was used a second time. It may have been copied, ' +
      'so that session was ended. Please sign in again.',
  ),
  toActor: true,
});

/**
 * Where every method of authentication ends up: begins, refreshes and ends sessions, each with its audit event in the
 * same transaction, and what goes with every change of what a person signs in with.
 */
@Injectable()
export class SessionsService {
  constructor(
    private readonly repository: SessionRepository,
    private readonly tokens: SessionTokens,
    private readonly factors: SecondFactors,
    private readonly lock: AccountLock,
    private readonly database: Database,
    private readonly events: SecurityEvents,
  ) {}

  /**
   * Begins a session, and ends the one that the caller came with. While a second factor is due after these methods, the
   * session opens the routes of that factor and nothing else. Signing in again is also how a caller answers the
   * challenge of `@StepUp()`.
   */
  async signIn(signIn: SignIn): Promise<TokensView> {
    return this.issue(await this.open(signIn));
  }

  /** The part of `signIn()` that can be undone: for whoever has more to do in the same transaction. */
  async open({ userId, methods, inBrowser: asked = false, inTransaction, authenticatedAt }: SignIn): Promise<Begun> {
    const caller = requestContext()?.principal;
    const present = caller?.kind === 'person' ? caller : undefined;
    const inBrowser = asked || present?.inBrowser === true;
    if (inBrowser) this.tokens.assertCookie();
    return this.lock.hold(userId, async (account) => {
      await inTransaction?.();
      // Asked under the lock: a factor that is enrolled at this very moment is due already, or its enrolment ends this
      // session.
      const due = await this.factors.dueAfter(account, methods);
      await this.endReplaced(present?.sessionId, inBrowser ? this.tokens.replacedSession() : undefined);
      const session = await this.create({
        userId,
        methods,
        inBrowser,
        ...clientInfo(),
        authenticatedAt,
        factorDue: due.length > 0,
        enrolmentDue: due.includes('enrolment'),
      });
      return { session, due };
    });
  }

  /** The tokens of a session that was opened. To be called after the commit. */
  issue({ session, due }: Begun): Promise<TokensView> {
    return this.tokens.issue(session, due);
  }

  /**
   * One change of a password or address, its audit event, and the end of the person's sessions (ASVS v5.0.0-7.4.3):
   * all of it commits, or nothing.
   * @param change runs in the transaction, when the session that asked is still open; false when there was nothing to
   * change yet: then no session ends.
   */
  async changeCredential({ userId, action, except }: CredentialChange, change: () => Promise<boolean>): Promise<void> {
    await this.lock.hold(userId, async () => {
      if (except !== undefined) await this.assertOpen(except);
      if (!(await change())) return;
      await this.events.recordInTransaction({
        action,
        outcome: 'success',
        actorId: userId,
        target: { type: 'user', id: userId },
      });
      await this.endAllOf(userId, 'credential-changed', except);
    });
  }

  /**
   * Exchanges a refresh token, which is in the body, or in browser mode in the cookie.
   * @throws Problem `unauthenticated`, the same for every cause; a cookie that is worth nothing is then cleared.
   */
  async refresh(inBody: string | undefined): Promise<TokensView> {
    const inCookie = this.tokens.cookie.read();
    // Of two credentials each hop could believe another one.
    if (inBody !== undefined && inCookie !== undefined)
      throw new Problem('malformed-request', 'Send one refresh token, in the body or in the cookie.');
    if (inBody !== undefined) return this.rotate(inBody, false);
    try {
      if (inCookie === undefined) throw unauthenticated();
      return await this.rotate(inCookie, true);
    } catch (error) {
      if (error instanceof Problem && error.type === 'unauthenticated') this.tokens.cookie.clear();
      throw error;
    }
  }

  /**
   * Ends the session on this device, by the access token, or in a browser by the cookie alone: it lives longer.
   * @throws Problem `unauthenticated` when neither credential belongs to a session that is still open; the cookie is
   * cleared all the same.
   */
  async signOut(caller: Person | undefined): Promise<void> {
    const token = this.tokens.cookie.read();
    if (token !== undefined) this.tokens.cookie.clear();
    const ofCookie = this.tokens.read(token ?? '')?.sessionId;
    // Both may be there, of one session or of two.
    const isEnded = [await this.endIfAny(caller?.sessionId), await this.endIfAny(ofCookie)];
    if (caller !== undefined || isEnded.includes(true)) return;
    throw this.denied(token === undefined ? 'missing' : 'session-ended');
  }

  /** What people see of their sessions, to end those of a device that they have lost (ASVS v5.0.0-7.5.2). */
  async list({ userId, sessionId }: Person): Promise<SessionsView> {
    const open = await this.repository.listOpen(userId);
    return {
      items: open.map(({ factorDue, refreshedAt, ...session }) => ({
        ...session,
        lastSeenAt: refreshedAt,
        secondFactorDue: factorDue,
        current: session.id === sessionId,
      })),
    };
  }

  /**
   * Ends one session of the caller.
   * @throws Problem `not-found`, the same for a session of somebody else, one that has ended and one that never was.
   */
  async endOne({ userId, sessionId, inBrowser }: Person, id: string): Promise<void> {
    const owner = await this.end(id, 'ended-by-user', { userId });
    if (owner === undefined) throw new Problem('not-found');
    if (id === sessionId && inBrowser) this.tokens.cookie.clear();
  }

  async endOthers(principal: Person): Promise<void> {
    await this.endOwn(principal, principal.sessionId);
  }

  async endAll(principal: Person): Promise<void> {
    await this.endOwn(principal);
    if (principal.inBrowser) this.tokens.cookie.clear();
  }

  /**
   * Ends the session on every instance, with its audit event in the same transaction.
   * @param options.userId whose session it has to be; left out: anybody's.
   * @returns its user, or undefined when there was nothing to end: then nothing is recorded.
   */
  end(
    id: string,
    reason: EndReason,
    { action = 'session_expired', userId }: { action?: SecurityAction; userId?: string } = {},
  ): Promise<string | undefined> {
    return this.database.transaction(async () => {
      const actorId = await this.repository.end(id, reason, userId);
      if (actorId === undefined) return undefined;
      const outcome = action === 'session_expired' ? 'success' : 'denied';
      const target = { type: 'session', id };
      await this.events.recordInTransaction({ action, outcome, actorId, target, details: { reason } });
      return actorId;
    });
  }

  /**
   * Ends every session of the user, but for one: part of whatever changes a credential (ASVS v5.0.0-7.4.3). To be
   * called while the account's lock is held, or a session that begins at this moment is not seen.
   */
  async endAllOf(userId: string, reason: EndReason, except?: string): Promise<void> {
    await this.recordEnds(await this.repository.endAllOf(userId, reason, except), reason);
  }

  /** Ends the sessions of the user that began until then with that method. Under the account's lock, too. */
  async endBegunBy(userId: string, method: string, until: Date, reason: EndReason): Promise<void> {
    await this.recordEnds(await this.repository.endBegunBy(userId, method, until, reason), reason);
  }

  /**
   * Ends the sessions of tokens that crossed the wire in clear: whoever listened has them now (practice 1.3). Only of
   * genuine ones: otherwise anybody could end the sessions of others by sending made-up tokens.
   */
  async endExposed(lookAlikes: readonly string[]): Promise<void> {
    for (const id of this.sessionsOf(lookAlikes))
      await this.end(id, 'credential-in-clear', { action: 'authn_credential_in_clear' });
  }

  /** The users whose genuine tokens are in the text, whether or not their sessions are open. */
  async usersIn(exposed: ExposedText): Promise<string[]> {
    const ids = this.sessionsOf(exposed.find(tokenPattern));
    const sessions = await Promise.all(ids.map((id) => this.repository.find(id)));
    return [...new Set(sessions.flatMap((session) => session?.userId ?? []))];
  }

  /** Whether the user has signed in before. The row of the newest session stays until the next one begins. */
  hasAny(userId: string): Promise<boolean> {
    return this.repository.hasAny(userId);
  }

  /**
   * To be called first under the account's lock: a thief's request may have waited for the very change that ended the
   * thief's session (ASVS v5.0.0-8.3.2).
   * @throws Problem unauthenticated
   */
  async assertOpen(id: string): Promise<void> {
    if (!(await this.repository.isOpen(id))) throw unauthenticated();
  }

  /**
   * Rotation with detection of theft: RFC 9700 s4.14.2, ASVS v5.0.0-10.4.5.
   * @param inBrowser where the token was: in the cookie, or in a body. A session keeps to one of the two.
   */
  private async rotate(token: string, inBrowser: boolean): Promise<TokensView> {
    const claims = this.tokens.read(token);
    if (claims === undefined) throw this.denied('refresh-token-forged');
    const session = (await this.repository.rotate(claims, inBrowser)) ?? (await this.afterLostRace(claims, inBrowser));
    // Whose session it is, and what it allows, must be what the service wrote: else one UPDATE makes the caller
    // somebody else.
    if (!this.repository.isWhole(session)) throw this.denied('broken-seal', session);
    const target = { type: 'session', id: session.id };
    this.events.reportLater({ action: 'authn_token_created', outcome: 'success', actorId: session.userId, target });
    return this.tokens.issue(session);
  }

  /** The token is genuine, but not the one that is due. */
  private async afterLostRace(claims: RefreshClaims, inBrowser: boolean) {
    const session = await this.repository.find(claims.sessionId);
    if (session === undefined) throw this.denied('session-unknown');
    if (session.endedAt !== null) throw this.denied('session-ended', session);
    // A cookie must not become a token that scripts can read, nor the other way round.
    if (session.inBrowser !== inBrowser) throw this.denied('refresh-token-misplaced', session);
    const isDue = session.refreshCounter === claims.counter;
    const justRotated = session.refreshCounter === claims.counter + 1 && session.isInGrace;
    // The loser gets the winner's successor, not one of its own: the family never forks.
    if (justRotated && session.user.status === 'active') return session;
    // No theft: the token is the right one, but the session is idle or too old, or the user is disabled.
    if (isDue || justRotated) throw this.denied('session-expired', session);
    // Thief or owner, one of the two holds a copy, and nobody can tell which: both are out. Recorded once, so the owner
    // is mailed once.
    await this.end(session.id, 'refresh-token-reuse', { action: 'authn_token_reuse' });
    throw this.denied('refresh-token-reuse', session);
  }

  /** A forged token names nobody; a genuine one that is refused says whose it was. */
  private denied(reason: string, session?: { id: string; userId: string }): Problem {
    const whose = session && { actorId: session.userId, target: { type: 'session', id: session.id } };
    this.events.reportLater({ action: 'authn_token_fail', outcome: 'denied', ...whose, details: { reason } });
    return unauthenticated();
  }

  /**
   * Under the account's lock. The id is a new one, whatever the caller came with (ASVS v5.0.0-7.2.4).
   */
  private async create(session: NewSession) {
    const { userId, methods, factorDue } = session;
    await this.recordEnds(await this.repository.endSurplus(userId), 'too-many-sessions');
    const created = await this.repository.create(session);
    const target = { type: 'session', id: created.id };
    const details = { methods, factorDue };
    await this.events.recordInTransaction({
      action: 'authn_login_success',
      outcome: 'success',
      actorId: userId,
      target,
      details,
    });
    return created;
  }

  private async endReplaced(...sessionIds: readonly (string | undefined)[]): Promise<void> {
    for (const id of new Set(sessionIds)) if (id !== undefined) await this.end(id, 'new-login');
  }

  private endOwn({ userId, sessionId }: Person, except?: string): Promise<void> {
    return this.lock.hold(userId, async () => {
      await this.assertOpen(sessionId);
      await this.endAllOf(userId, 'ended-by-user', except);
    });
  }

  private async endIfAny(id: string | undefined): Promise<boolean> {
    return id !== undefined && (await this.end(id, 'logout')) !== undefined;
  }

  private async recordEnds(ids: readonly string[], reason: EndReason): Promise<void> {
    for (const id of ids) {
      const target = { type: 'session', id };
      await this.events.recordInTransaction({
        action: 'session_expired',
        outcome: 'success',
        target,
        details: { reason },
      });
    }
  }

  private sessionsOf(lookAlikes: readonly string[]): string[] {
    return [...new Set(lookAlikes.flatMap((text) => this.tokens.sessionOf(text) ?? []))];
  }
}

/** What people will recognise the session by. */
function clientInfo(): Pick<NewSession, 'device' | 'place'> {
  const { userAgent, address } = requestContext() ?? {};
  return { device: deviceLabel(userAgent), place: address === undefined ? null : coarseNetworkOf(address) };
}
