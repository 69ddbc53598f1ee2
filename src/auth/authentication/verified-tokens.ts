import { hash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import { SigningKeys } from '../signing-keys/signing-keys.js';
import type { AccessClaims } from './access-tokens.js';
import { BoundedCache } from './bounded-cache.js';

const remembered = 5_000;

/**
 * Tokens whose signature was checked: an ES256 check costs 200 us, a look-up 1.3. Only what cannot change about a token is
 * remembered; session, status and roles are asked at every request.
 */
@Injectable()
export class VerifiedTokens {
  private readonly claims = new BoundedCache<string, AccessClaims>(remembered);

  constructor(
    private readonly keys: SigningKeys,
    private readonly clock: Clock,
  ) {}

  /** Undefined also for a token that has expired, or whose signing key is gone: it then meets the whole check. */
  find(token: string): AccessClaims | undefined {
    const claims = this.claims.get(nameOf(token));
    const alive = claims !== undefined && claims.expiresAt * 1000 > this.clock.now().getTime();
    return alive && this.keys.find(claims.keyId) !== undefined ? claims : undefined;
  }

  remember(token: string, claims: AccessClaims): void {
    this.claims.set(nameOf(token), claims);
  }
}

/** The digest, so that no token that works lies in memory for minutes. */
const nameOf = (token: string): string => hash('sha256', token, 'base64');
