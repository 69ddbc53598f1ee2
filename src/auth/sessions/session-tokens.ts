import { Injectable } from '@nestjs/common';
import { AccessTokens } from '../authentication/access-tokens.js';
import { accessTokenTtlSeconds } from '../signing-keys/lifetimes.js';
import { RefreshCookie } from '../browser/index.js';
import { RefreshTokens } from './refresh-tokens.js';
import type { TokensView } from './tokens.view.js';

interface LiveSession {
  readonly id: string;
  readonly userId: string;
  readonly refreshCounter: number;
  readonly authenticatedAt: Date;
  readonly methods: readonly string[];
  readonly factorDue: boolean;
  readonly inBrowser: boolean;
}

/** The two tokens of a session. */
@Injectable()
export class SessionTokens {
  constructor(
    private readonly accessTokens: AccessTokens,
    private readonly refreshTokens: RefreshTokens,
    private readonly cookie: RefreshCookie,
  ) {}

  /** A new access token, and the refresh token that is due at the session's present counter: for a browser in the cookie, and not here. */
  async issue({ id: sessionId, refreshCounter, factorDue, inBrowser, ...subject }: LiveSession, secondFactors: readonly string[] = []): Promise<TokensView> {
    // Half a sign-in must not be prolonged (abuse case A2-6).
    const refreshToken = factorDue ? null : this.refreshTokens.write({ sessionId, counter: refreshCounter });
    if (inBrowser && refreshToken !== null) this.cookie.write(refreshToken);
    return {
      accessToken: await this.accessTokens.issue({ ...subject, sessionId }),
      tokenType: 'Bearer',
      expiresInSeconds: accessTokenTtlSeconds,
      refreshToken: inBrowser ? null : refreshToken,
      secondFactors,
    };
  }

  /** The session whose token in this browser a new one is going to replace. */
  replacedSession(): string | undefined {
    return this.refreshTokens.read(this.cookie.replaced() ?? '')?.sessionId;
  }

  /** The session that a genuine token of either kind belongs to; undefined for a text that we did not write. */
  sessionOf(token: string): string | undefined {
    return this.refreshTokens.read(token)?.sessionId ?? this.accessTokens.sessionOf(token);
  }
}
