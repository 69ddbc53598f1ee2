import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Macs } from '../../common/macs.js';
import { Problem } from '../../common/problem.js';
import { SecurityEvents } from '../../common/security-events.js';

const purpose = 'one-time-token';
/** 256 bits: nobody guesses one, at any rate (ASVS v5.0.0-6.4.1). */
const secretBytes = 32;
const idHexDigits = 32;

/** What mailed tokens look like in a text. */
export const mailedTokens = /(?<![0-9a-f])[0-9a-f]{96}(?![0-9a-f])/g;

/** A token of one flow is none in another (abuse case A2-5). */
export type OneTimeFlow = 'registration' | 'password-reset' | 'email-change-old' | 'email-change-new';

/** What one token is good for. */
export interface TokenUse {
  readonly flow: OneTimeFlow;
  /** UUIDv7 of the row that waits for the token. */
  readonly id: string;
  /** For whose address: whoever can write to the table cannot move a token of theirs to somebody else's row. */
  readonly address: string;
}

/**
 * Mailed tokens: the row's id and a secret, in hexadecimal, which survives every mail client and a double click. The row holds a MAC
 * over flow, id, address and secret: a copy of the table is worth nothing.
 */
@Injectable()
export class OneTimeTokens {
  constructor(
    private readonly macs: Macs,
    private readonly events: SecurityEvents,
  ) {}

  /** @returns the token for the mail, and the MAC for the row. */
  create(use: TokenUse): { token: string; mac: string } {
    const secret = randomBytes(secretBytes).toString('hex');
    const { keyId, mac } = this.macs.sign(purpose, parts(use, secret));
    return { token: use.id.replaceAll('-', '') + secret, mac: `${keyId}.${mac.toString('base64url')}` };
  }

  /** The id of the row that the token names, which proves nothing yet; undefined for a text that is no token. */
  idIn(token: string): string | undefined {
    const hex = /^([0-9a-f]{8})([0-9a-f]{4})(7[0-9a-f]{3})([89ab][0-9a-f]{3})([0-9a-f]{12})[0-9a-f]{64}$/.exec(token);
    return hex?.slice(1).join('-');
  }

  /** Whether it is the token of that use; in constant time. */
  matches(token: string, use: TokenUse, stored: string): boolean {
    const dot = stored.lastIndexOf('.');
    const mac = Buffer.from(stored.slice(dot + 1), 'base64url');
    return this.macs.verify(purpose, stored.slice(0, dot), parts(use, token.slice(idHexDigits)), mac);
  }

  /** One answer for a token that never existed, has expired, was used or belongs elsewhere; the audit trail has it. */
  refuse(flow: 'registration' | 'password-reset' | 'email-change', cause?: unknown): Problem {
    this.events.report({ action: 'authn_token_fail', outcome: 'denied', details: { reason: 'one-time-token', flow } });
    return new Problem('malformed-request', 'The token is wrong, expired or already used.', {
      errors: [{ pointer: '/token', code: 'unusable-token', message: 'token is wrong, expired or already used' }],
      cause,
    });
  }
}

const parts = ({ flow, id, address }: TokenUse, secret: string) => [flow, id, address, secret];
