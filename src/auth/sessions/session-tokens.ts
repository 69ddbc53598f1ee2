import { Injectable } from '@nestjs/common';
import { Macs } from '../../common/macs.js';
import { Problem } from '../../common/http/problem.js';
import { AccessTokens } from '../authentication/access-tokens.js';
import { accessTokenTtlSeconds } from '../signing-keys/lifetimes.js';
import type { TokensView } from './sessions.dto.js';

const purpose = 'refresh-token';
const idBytes = 16;
const counterBytes = 4;
const bodyBytes = idBytes + counterBytes;
const macBytes = 32;

/** What a refresh token says once its MAC has been checked. */
export interface RefreshClaims {
  readonly sessionId: string;
  /** How often the session had been refreshed when the token was made. */
  readonly counter: number;
}

/** Where a refresh token travels that scripts must not read. */
export interface RefreshTokenCookie {
  /** Of the running request. @throws Problem for a request that no page of ours can have made. */
  read(): string | undefined;
  /** The token that a new one is going to replace, wherever the request came from: not for a decision. */
  replaced(): string | undefined;
  write(token: string): void;
  clear(): void;
}

const noBrowserMode = () => new Problem('malformed-request', 'This service has no browser mode: leave inBrowser out.');

const noCookie: RefreshTokenCookie = {
  read: () => undefined,
  replaced: () => undefined,
  clear: () => undefined,
  write: () => {
    throw noBrowserMode();
  },
};

interface LiveSession {
  readonly id: string;
  readonly userId: string;
  readonly refreshCounter: number;
  readonly authenticatedAt: Date;
  readonly methods: readonly string[];
  readonly factorDue: boolean;
  readonly inBrowser: boolean;
}

/**
 * The two tokens of a session. The refresh token is `<key id>.<base64url of session id, counter, HMAC-SHA-256>`.
 * Nothing of it is stored: the session's row knows the counter that is due, so a copy of the database holds no token,
 * and the successor of a token can be computed again.
 */
@Injectable()
export class SessionTokens {
  /** Until browser mode registers its own, refresh tokens are in bodies only. */
  cookie: RefreshTokenCookie = noCookie;

  constructor(
    private readonly accessTokens: AccessTokens,
    private readonly macs: Macs,
  ) {}

  /** @throws Problem `malformed-request` where there is no cookie: the token would have to go where scripts read it. */
  assertCookie(): void {
    if (this.cookie === noCookie) throw noBrowserMode();
  }

  /**
   * A new access token, and the refresh token that is due at the session's present counter: for a browser in the
   * cookie, and not here.
   */
  async issue(
    { id: sessionId, refreshCounter, factorDue, inBrowser, ...subject }: LiveSession,
    secondFactors: readonly string[] = [],
  ): Promise<TokensView> {
    // Half a sign-in must not be prolonged (abuse case A2-6).
    const refreshToken = factorDue ? null : this.write({ sessionId, counter: refreshCounter });
    if (inBrowser && refreshToken !== null) this.cookie.write(refreshToken);
    return {
      accessToken: await this.accessTokens.issue({ ...subject, sessionId }),
      tokenType: 'Bearer',
      expiresInSeconds: accessTokenTtlSeconds,
      refreshToken: inBrowser ? null : refreshToken,
      secondFactors,
    };
  }

  /** What a refresh token says; undefined for everything that we did not write. */
  read(token: string): RefreshClaims | undefined {
    const dot = token.lastIndexOf('.');
    const text = token.slice(dot + 1);
    const bytes = Buffer.from(text, 'base64url');
    // Decoding is lenient; one token must have one spelling.
    if (dot < 1 || bytes.length !== bodyBytes + macBytes || bytes.toString('base64url') !== text) return undefined;
    const body = bytes.subarray(0, bodyBytes);
    if (!this.macs.verify(purpose, token.slice(0, dot), [body], bytes.subarray(bodyBytes))) return undefined;
    const hex = body.toString('hex', 0, idBytes);
    const sessionId = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
    return { sessionId, counter: body.readUInt32BE(idBytes) };
  }

  /** The session whose token in this browser a new one is going to replace. */
  replacedSession(): string | undefined {
    return this.read(this.cookie.replaced() ?? '')?.sessionId;
  }

  /** The session that a genuine token of either kind belongs to; undefined for a text that we did not write. */
  sessionOf(token: string): string | undefined {
    return this.read(token)?.sessionId ?? this.accessTokens.sessionOf(token);
  }

  private write({ sessionId, counter }: RefreshClaims): string {
    const body = Buffer.alloc(bodyBytes);
    body.write(sessionId.replaceAll('-', ''), 'hex');
    body.writeUInt32BE(counter, idBytes);
    const { keyId, mac } = this.macs.sign(purpose, [body]);
    return `${keyId}.${Buffer.concat([body, mac]).toString('base64url')}`;
  }
}
