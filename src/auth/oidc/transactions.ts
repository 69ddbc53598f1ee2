import { Injectable } from '@nestjs/common';
import { Macs } from '../../common/macs.js';
import { OneTimeTokens } from '../one-time-tokens/one-time-tokens.service.js';
import type { Expectations } from './identity-provider.js';
import { OneTimeCookie } from './one-time-cookie.js';

const minuteMs = 60_000;

/** What this browser began at a provider. */
export interface Transaction {
  readonly provider: string;
  /** A path of this host. */
  readonly returnTo: string;
  /** The person had to sign in there anew. */
  readonly isFresh: boolean;
  /** Whose account the identity is to be linked to, and by which session. Left out: somebody signs in. */
  readonly linkTo?: { readonly userId: string; readonly sessionId: string };
}

/** What came of it: an identity that was proved, and waits for the page to begin the session. */
export interface ProvedIdentity {
  readonly identityId: string;
  readonly methods: readonly string[];
  /** Milliseconds since 1970. */
  readonly authenticatedAt: number;
}

/** The two cookies of a sign-in, and the secrets of a transaction. */
@Injectable()
export class Transactions {
  private readonly transaction: OneTimeCookie<Transaction>;
  readonly proved: OneTimeCookie<ProvedIdentity>;

  constructor(
    tokens: OneTimeTokens,
    private readonly macs: Macs,
  ) {
    this.transaction = new OneTimeCookie(tokens, {
      name: '__Host-oidc',
      // The provider's page leads back here.
      sameSite: 'lax',
      kind: { purpose: 'oidc-transaction', ttlMs: 10 * minuteMs },
    });
    this.proved = new OneTimeCookie(tokens, {
      name: '__Host-oidc-proved',
      sameSite: 'strict',
      kind: { purpose: 'oidc-proved', ttlMs: 2 * minuteMs },
    });
  }

  /** Binds the sign-in to this browser (ASVS v5.0.0-10.1.2). */
  async begin(transaction: Transaction): Promise<Expectations> {
    return this.expectationsOf(await this.transaction.write(transaction));
  }

  /** Undefined when this browser began none, or has come back from it already. */
  async take(): Promise<{ readonly transaction: Transaction; readonly expectations: Expectations } | undefined> {
    const taken = await this.transaction.take();
    return taken && { transaction: taken.content, expectations: this.expectationsOf(taken.token) };
  }

  /**
   * Computed again, so that they are stored nowhere: whoever reads the cookie or the database, and has not the key
   * ring, knows none of them.
   */
  private expectationsOf(token: string): Expectations {
    const secret = (of: string) => this.macs.sign('one-time-token', ['oidc', of, token]).mac.toString('base64url');
    return { state: secret('state'), nonce: secret('nonce'), verifier: secret('verifier') };
  }
}
