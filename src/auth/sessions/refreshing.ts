import { Injectable } from '@nestjs/common';
import { SecurityEvents } from '../../common/security-events.js';
import { unauthenticated } from '../authentication/unauthenticated.js';
import { RefreshTokens, type RefreshClaims } from './refresh-tokens.js';
import { SessionTokens } from './session-tokens.js';
import { SessionRepository } from './session.repository.js';
import { Sessions } from './sessions.js';
import type { TokensView } from './tokens.view.js';

/** Rotation of refresh tokens with detection of theft: RFC 9700 s4.14.2, ASVS v5.0.0-10.4.5. */
@Injectable()
export class Refreshing {
  constructor(
    private readonly repository: SessionRepository,
    private readonly refreshTokens: RefreshTokens,
    private readonly tokens: SessionTokens,
    private readonly sessions: Sessions,
    private readonly events: SecurityEvents,
  ) {}

  /**
   * @param inBrowser where the token was: in the cookie, or in a body. A session keeps to one of the two.
   * @throws Problem `unauthenticated`, the same for every cause.
   */
  async refresh(token: string, inBrowser: boolean): Promise<TokensView> {
    const claims = this.refreshTokens.read(token);
    if (claims === undefined) throw this.refuse('refresh-token-forged');
    const session = (await this.repository.rotate(claims, inBrowser)) ?? (await this.afterLostRace(claims, inBrowser));
    // Whose session it is, and what it allows, must be what the service wrote: else one UPDATE makes the caller somebody else.
    if (!this.repository.isWhole(session)) throw this.refuse('broken-seal', session);
    const target = { type: 'session', id: session.id };
    this.events.report({ action: 'authn_token_created', outcome: 'success', actorId: session.userId, target });
    return this.tokens.issue(session);
  }

  /** The token is genuine, but not the one that is due. */
  private async afterLostRace(claims: RefreshClaims, inBrowser: boolean) {
    const session = await this.repository.find(claims.sessionId);
    if (session === undefined) throw this.refuse('session-unknown');
    if (session.endedAt !== null) throw this.refuse('session-ended', session);
    // A cookie must not become a token that scripts can read, nor the other way round.
    if (session.inBrowser !== inBrowser) throw this.refuse('refresh-token-misplaced', session);
    const isDue = session.refreshCounter === claims.counter;
    const justRotated = session.refreshCounter === claims.counter + 1 && session.isInGrace;
    // The loser gets the winner's successor, not one of its own: the family never forks.
    if (justRotated && session.user.status === 'active') return session;
    // No theft: the token is the right one, but the session is idle or too old, or the user is disabled.
    if (isDue || justRotated) throw this.refuse('session-expired', session);
    // Thief or owner, one of the two holds a copy, and nobody can tell which: both are out. Recorded once, so the owner is mailed once.
    await this.sessions.end(session.id, 'refresh-token-reuse', 'authn_token_reuse');
    throw this.refuse('refresh-token-reuse', session);
  }

  /** A forged token names nobody; a genuine one that is refused says whose it was. */
  private refuse(reason: string, session?: { id: string; userId: string }) {
    const whose = session && { actorId: session.userId, target: { type: 'session', id: session.id } };
    this.events.report({ action: 'authn_token_fail', outcome: 'denied', ...whose, details: { reason } });
    return unauthenticated();
  }
}
