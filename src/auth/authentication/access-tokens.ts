import { hash, randomUUID, verify } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { SignJWT } from 'jose';
import { Clock } from '../../common/clock.js';
import { idPattern } from '../../common/http/fields.js';
import { CONFIG, type Config } from '../../config/index.js';
import { accessTokenTtlSeconds, clockSkewSeconds } from '../signing-keys/lifetimes.js';
import type { SigningKey } from '../signing-keys/signing-key.js';
import { SigningKeys } from '../signing-keys/signing-keys.js';
import { BoundedCache } from './bounded-cache.js';
import { isLowS, withLowS } from './low-s.js';
import { CredentialRefused } from '../../common/access/credential-refused.js';

const remembered = 5_000;

/** What a verified access token says. Roles are not in it: the session state has them, so that changes act at once. */
export interface AccessClaims {
  readonly userId: string;
  readonly sessionId: string;
  /** Seconds since 1970. */
  readonly expiresAt: number;
  readonly keyId: string;
}

export interface TokenSubject {
  readonly userId: string;
  readonly sessionId: string;
  readonly authenticatedAt: Date;
  readonly methods: readonly string[];
}

/** `fed:<name>` is another service that vouches for the person; a second factor of theirs is a method of its own. */
const isFirstFactor = (method: string): boolean => method === 'pwd' || method.startsWith('fed:');

/** Our access tokens: JWTs of the profile RFC 9068, ES256, without personal data. */
@Injectable()
export class AccessTokens {
  /** An ES256 check costs 200 us, a look-up 1.3. Session, status and roles are asked at every request. */
  private readonly verified = new BoundedCache<string, AccessClaims>(remembered);

  constructor(
    private readonly keys: SigningKeys,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  async issue({ userId, sessionId, authenticatedAt, methods }: TokenSubject): Promise<string> {
    const { id, privateKey } = this.keys.active;
    const now = seconds(this.clock.now());
    const token = await new SignJWT({
      sid: sessionId,
      auth_time: seconds(authenticatedAt),
      acr: methods.every(isFirstFactor) ? 'aal1' : 'aal2',
      amr: [...methods],
    })
      .setProtectedHeader(headerOf(id))
      .setIssuer(this.config.publicUrl)
      .setAudience(this.config.publicUrl)
      .setSubject(userId)
      .setIssuedAt(now)
      .setExpirationTime(now + accessTokenTtlSeconds)
      .setJti(randomUUID())
      .sign(privateKey);
    return withLowS(token);
  }

  /**
   * The claims of a token whose signature was checked before. Undefined also for one that has expired, or whose signing
   * key is gone: it then meets the whole check.
   */
  findVerified(token: string): AccessClaims | undefined {
    const claims = this.verified.get(digestOf(token));
    const isAlive = claims !== undefined && claims.expiresAt * 1000 > this.clock.now().getTime();
    return isAlive && this.keys.find(claims.keyId) !== undefined ? claims : undefined;
  }

  rememberVerified(token: string, claims: AccessClaims): void {
    this.verified.set(digestOf(token), claims);
  }

  /**
   * Looks once more when the header is ours but for a key that nobody here knows: another instance may have begun to
   * sign with it.
   */
  async learnKeyOf(token: string): Promise<void> {
    const header = token.slice(0, token.indexOf('.'));
    const [, kid] = kidInHeader.exec(Buffer.from(header, 'base64url').toString()) ?? [];
    if (kid !== undefined && this.keys.find(kid) === undefined) await this.keys.lookForUnknown();
  }

  /**
   * The key that the token's header names. The header must be, byte for byte, the one that we write: that refuses
   * `none` and HS256, another `typ`, an embedded `jwk`, `jku`, `x5u`, `crit` and duplicate members in one comparison
   * (RFC 8725).
   * @throws CredentialRefused
   */
  keyOf(token: string): SigningKey {
    const header = token.slice(0, token.indexOf('.'));
    const key = this.keys.list().find(({ id }) => encode(headerOf(id)) === header);
    if (key === undefined) throw new CredentialRefused('header');
    return key;
  }

  /**
   * The claims of a token whose signature, issuer and audience stand.
   * @throws CredentialRefused when a claim is missing, repeated, of another type, or does not hold now.
   */
  claimsOf(token: string): AccessClaims {
    const [, body = '', signature = ''] = token.split('.');
    // (r, n - s) is as genuine as (r, s): whoever has a token could write it a second way, and pass by what goes by its
    // text.
    if (!isLowS(Buffer.from(signature, 'base64url'))) throw new CredentialRefused('signature');
    const text = Buffer.from(body, 'base64url').toString();
    const { sub, sid, jti, ...times } = JSON.parse(text) as Record<string, unknown>;
    // A repeated member means one thing to us and another to the next reader; written again, the text would be shorter.
    const repeated = JSON.stringify(JSON.parse(text)) !== text;
    if (repeated || !isId(sub) || !isId(sid) || typeof jti !== 'string') throw new CredentialRefused('claims');
    const expiresAt = this.expiryOf(times);
    return { userId: sub, sessionId: sid, expiresAt, keyId: this.keyOf(token).id };
  }

  /** The session of a token that we signed, even an expired one; undefined for any other text. */
  sessionOf(token: string): string | undefined {
    const [header = '', body = '', signature = ''] = token.split('.');
    try {
      const key = { key: this.keyOf(token).publicKey, dsaEncoding: 'ieee-p1363' } as const;
      if (!verify('sha256', Buffer.from(`${header}.${body}`), key, Buffer.from(signature, 'base64url')))
        return undefined;
      const { sid } = JSON.parse(Buffer.from(body, 'base64url').toString()) as { sid?: unknown };
      return isId(sid) ? sid : undefined;
    } catch (error) {
      if (error instanceof CredentialRefused) return undefined;
      throw error;
    }
  }

  private expiryOf({ iat, exp, nbf = iat }: { iat?: unknown; exp?: unknown; nbf?: unknown }): number {
    const now = seconds(this.clock.now());
    // A token without an end would be good for ever: `exp` must be there (ASVS v5.0.0-9.2.1).
    if (!isTime(iat) || !isTime(exp) || !isTime(nbf)) throw new CredentialRefused('claims');
    if (exp <= now) throw new CredentialRefused('expired');
    if (Math.max(iat, nbf) > now + clockSkewSeconds) throw new CredentialRefused('not-yet-valid');
    return exp;
  }
}

/** So that no token that works lies in memory for minutes. */
const digestOf = (token: string): string => hash('sha256', token, 'base64');
const kidInHeader = /^\{"alg":"ES256","typ":"at\+jwt","kid":"([0-9a-f-]{36})"\}$/;
const headerOf = (kid: string) => ({ alg: 'ES256', typ: 'at+jwt', kid });
const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const seconds = (time: Date): number => Math.floor(time.getTime() / 1000);
const isId = (value: unknown): value is string => typeof value === 'string' && idPattern.test(value);
const isTime = (value: unknown): value is number => Number.isSafeInteger(value);
