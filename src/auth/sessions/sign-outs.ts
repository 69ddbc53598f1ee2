import { Injectable } from '@nestjs/common';
import type { Principal } from '../../common/principal.js';
import { SecurityEvents } from '../../common/security-events.js';
import { unauthenticated } from '../authentication/unauthenticated.js';
import { RefreshCookie } from '../browser/index.js';
import { RefreshTokens } from './refresh-tokens.js';
import { Sessions } from './sessions.js';

/** The end of the session on this device, by the access token, or in a browser by the cookie alone: it lives longer. */
@Injectable()
export class SignOuts {
  constructor(
    private readonly sessions: Sessions,
    private readonly refreshTokens: RefreshTokens,
    private readonly cookie: RefreshCookie,
    private readonly events: SecurityEvents,
  ) {}

  /** @throws Problem `unauthenticated` when neither credential belongs to a session that is still open; the cookie is cleared all the same. */
  async signOut(caller: Principal | undefined): Promise<void> {
    const token = this.cookie.read();
    if (token !== undefined) this.cookie.clear();
    // Both may be there, of one session or of two.
    const ended = [await this.end(caller?.sessionId), await this.end(this.refreshTokens.read(token ?? '')?.sessionId)];
    if (caller !== undefined || ended.includes(true)) return;
    this.events.report({ action: 'authn_token_fail', outcome: 'denied', details: { reason: token === undefined ? 'missing' : 'session-ended' } });
    throw unauthenticated();
  }

  private async end(sessionId: string | undefined): Promise<boolean> {
    return sessionId !== undefined && (await this.sessions.end(sessionId, 'logout')) !== undefined;
  }
}
