import { randomBytes, randomUUIDv7 } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { ExposedCredentials } from '../../common/access/exposed-credentials.js';
import { Clock } from '../../common/clock.js';
import { SecurityEvents } from '../../common/events/security-events.js';
import { Problem } from '../../common/http/problem.js';
import { Macs } from '../../common/macs.js';
import { Database } from '../../database/index.js';
import { OneTimeTokenRepository } from './one-time-token.repository.js';

const macPurpose = 'one-time-token';
/** 256 bits: nobody guesses one, at any rate (ASVS v5.0.0-6.4.1). */
const secretBytes = 32;
const idHexDigits = 32;

/** What tokens look like in a text. */
const mailedTokens = /(?<![0-9a-f])[0-9a-f]{96}(?![0-9a-f])/g;

/** A token that the client holds itself. */
export interface TokenKind {
  readonly purpose: string;
  readonly ttlMs: number;
}

/** What tokens are for that people get by mail. Each feature declares its own. */
export interface TokenFlow<Purposes extends readonly string[] = readonly [string, ...string[]]> {
  /** As audit events call it: `password-reset`. */
  readonly name: string;
  /** A token of one purpose is none for another (abuse case A2-5). One is made for each. */
  readonly purposes: Purposes;
  readonly ttlMs: number;
  /**
   * What the token is bound to beside its row, as the database says it now: whoever can write to the table cannot move
   * a token of theirs to somebody else's row. Undefined: it opens nothing.
   */
  readonly boundTo: (token: StoredToken) => string | undefined;
  /** Told to whoever sent one in clear: `tokens to sign up`. */
  readonly exposedAs: string;
}

type StoredToken = NonNullable<Awaited<ReturnType<OneTimeTokenRepository['find']>>>;

/** A genuine token that is open. */
export interface OpenToken extends StoredToken {
  readonly boundTo: string;
}

export interface TokenRequest {
  /** Left out: of nobody who has an account. The id of the token is theirs then. */
  readonly userId?: string | undefined;
  /** To which it is mailed. The newest token for an address is the only one. */
  readonly address: string;
  /** What `boundTo` of the flow is going to say. */
  readonly boundTo: string;
  /** Sealed. */
  readonly payload?: string;
}

export interface IssuedToken {
  readonly id: string;
  readonly token: string;
}

/** One for each purpose, in their order. */
type Issued<Purposes extends readonly string[]> = { readonly [At in keyof Purposes]: IssuedToken };

/**
 * Tokens that count once: the row's id and a secret, in hexadecimal, which survives every mail client and a double
 * click. The row holds a MAC over purpose, id, what the token is bound to, and secret: a copy of the table is worth
 * nothing.
 */
@Injectable()
export class OneTimeTokens {
  constructor(
    private readonly repository: OneTimeTokenRepository,
    private readonly macs: Macs,
    private readonly database: Database,
    private readonly events: SecurityEvents,
    private readonly exposed: ExposedCredentials,
    private readonly clock: Clock,
  ) {}

  /** Once for each flow: from then on, what crosses the wire in clear is revoked. */
  declare(flow: TokenFlow): void {
    this.exposed.subscribe({
      kind: flow.exposedAs,
      pattern: mailedTokens,
      revoke: (lookAlikes) => this.revoke(flow, lookAlikes),
    });
  }

  /**
   * One token for each purpose of the flow, in place of all earlier ones of the address and of the user. Does the same
   * whether or not there is a user (ASVS v5.0.0-6.3.8).
   */
  async issue<Purposes extends readonly string[]>(
    flow: TokenFlow<Purposes>,
    { userId, address, boundTo, payload }: TokenRequest,
  ): Promise<Issued<Purposes>> {
    const [addressMac, ...retired] = this.addressMacs(address);
    const made = flow.purposes.map((purpose) => {
      const id = randomUUIDv7();
      const { token, tokenMac } = this.make(id, purpose, boundTo);
      return { token, row: { id, purpose, userId, addressMac, tokenMac, payload, expiresAt: this.expiryOf(flow) } };
    });
    const addressMacs = addressMac === undefined ? [] : [addressMac, ...retired];
    await this.repository.makeRoom({ purposes: flow.purposes, addressMacs, userId });
    await this.repository.add(made.map(({ row }) => row));
    return made.map(({ token, row: { id } }) => ({ id, token })) as Issued<Purposes>;
  }

  /**
   * Another token in the place of one that is open for the address, with its id. Does the same when none is: then the
   * token opens nothing.
   */
  async renew(flow: TokenFlow, address: string): Promise<IssuedToken & { readonly isOpen: boolean }> {
    const [purpose] = flow.purposes;
    const found = await this.repository.findIdFor(purpose, this.addressMacs(address));
    const id = found ?? randomUUIDv7();
    const { token, tokenMac } = this.make(id, purpose, address);
    await this.repository.renew(id, { tokenMac, expiresAt: this.expiryOf(flow) });
    return { id, token, isOpen: found !== undefined };
  }

  /** @throws Problem `malformed-request` for a token that is not genuine, expired or used. */
  async open(flow: TokenFlow, text: string): Promise<OpenToken> {
    const token = await this.find(flow, text);
    if (token === undefined) throw this.denied(flow);
    return token;
  }

  /** True for exactly one caller. To be called in the transaction of what the token is for. */
  consume(token: OpenToken): Promise<boolean> {
    return this.repository.consume(token);
  }

  /** The same for a flow whose tokens all have to be used: the row stays, and says so by a MAC of its own. */
  markUsed(token: OpenToken): Promise<boolean> {
    return this.repository.markUsed(token, this.macOf(partsOf(token, 'used')));
  }

  /** Whether each token of the flow was used, for what this one is bound to. */
  async areAllUsed(flow: TokenFlow, { boundTo, user }: OpenToken): Promise<boolean> {
    const used = user === null ? [] : await this.repository.listUsed(user.id, flow.purposes);
    const proved = used.filter(({ id, purpose, tokenMac }) =>
      this.isMac(partsOf({ id, purpose, boundTo }, 'used'), tokenMac),
    );
    return flow.purposes.every((purpose) => proved.some((token) => token.purpose === purpose));
  }

  /** A token that is not mailed, and replaces no other one. `take()` has to be told the same `boundTo`. */
  async give({ purpose, ttlMs }: TokenKind, boundTo: string): Promise<string> {
    const id = randomUUIDv7();
    const { token, tokenMac } = this.make(id, purpose, boundTo);
    await this.repository.makeRoom({ purposes: [], addressMacs: [], userId: undefined });
    await this.repository.add([{ id, purpose, tokenMac, expiresAt: this.expiryOf({ ttlMs }) }]);
    return token;
  }

  /** True for exactly one caller. It is gone whether or not it is bound to that: one token is one attempt. */
  async take({ purpose }: TokenKind, text: string, boundTo: string): Promise<boolean> {
    const id = idIn(text);
    const stored = id === undefined ? undefined : await this.repository.take(id, purpose);
    if (id === undefined || stored === undefined) return false;
    return this.isMac(partsOf({ purpose, id, boundTo }, text.slice(idHexDigits)), stored);
  }

  /** What the person may know of tokens that wait, or were used. */
  listOf(flow: TokenFlow, userId: string) {
    return this.repository.listOf(userId, flow.purposes);
  }

  /** Ends all of a person, or those of one flow. */
  deleteOf(userId: string, flow?: TokenFlow): Promise<void> {
    return this.repository.deleteOf(userId, flow?.purposes);
  }

  /** Ends all that were mailed to an address, whoever asked for them. */
  deleteFor(address: string): Promise<void> {
    return this.repository.deleteFor(this.addressMacs(address));
  }

  /** One answer for a token that never existed, has expired, was used or belongs elsewhere; the audit trail has it. */
  denied({ name }: TokenFlow, cause?: unknown): Problem {
    const details = { reason: macPurpose, flow: name };
    this.events.reportLater({ action: 'authn_token_fail', outcome: 'denied', details });
    return new Problem('malformed-request', 'The token is wrong, expired or already used.', {
      errors: [{ pointer: '/token', code: 'unusable-token', message: 'token is wrong, expired or already used' }],
      cause,
    });
  }

  private async find(flow: TokenFlow, text: string): Promise<OpenToken | undefined> {
    const id = idIn(text);
    const stored = id === undefined ? null : await this.repository.find(id, flow.purposes);
    const boundTo = stored === null || !isActive(stored) ? undefined : flow.boundTo(stored);
    if (stored === null || boundTo === undefined) return undefined;
    const token = { ...stored, boundTo };
    return this.isMac(partsOf(token, text.slice(idHexDigits)), stored.tokenMac) ? token : undefined;
  }

  /** Tokens that crossed the wire in clear open nothing any more, nor do the others of the flow (practice 1.3). */
  private async revoke(flow: TokenFlow, lookAlikes: readonly string[]): Promise<void> {
    for (const text of lookAlikes) {
      const token = await this.find(flow, text);
      if (token === undefined) continue;
      const { id, user } = token;
      const target = user === null ? { type: flow.name, id } : { type: 'user', id: user.id };
      const details = { reason: flow.name };
      await this.database.transaction(async () => {
        if (!(await this.repository.consume(token))) return;
        if (user !== null) await this.repository.deleteOf(user.id, flow.purposes);
        await this.events.recordInTransaction({
          action: 'authn_credential_in_clear',
          outcome: 'denied',
          target,
          details,
        });
      });
    }
  }

  private make(id: string, purpose: string, boundTo: string): { token: string; tokenMac: string } {
    const secret = randomBytes(secretBytes).toString('hex');
    return { token: id.replaceAll('-', '') + secret, tokenMac: this.macOf(partsOf({ purpose, id, boundTo }, secret)) };
  }

  private macOf(parts: readonly string[]): string {
    const { keyId, mac } = this.macs.sign(macPurpose, parts);
    return `${keyId}.${mac.toString('base64url')}`;
  }

  /** In constant time. */
  private isMac(parts: readonly string[], stored: string): boolean {
    const dot = stored.lastIndexOf('.');
    return this.macs.verify(macPurpose, stored.slice(0, dot), parts, Buffer.from(stored.slice(dot + 1), 'base64url'));
  }

  /** Under every key, the active one first. */
  private addressMacs(address: string): string[] {
    return this.macs.keyedWithAllKeys(macPurpose, address);
  }

  private expiryOf({ ttlMs }: Pick<TokenFlow, 'ttlMs'>): Date {
    return new Date(this.clock.now().getTime() + ttlMs);
  }
}

/** About somebody whose account is open, or about nobody who has one. */
const isActive = ({ user }: StoredToken): boolean => user === null || user.status === 'active';

/** What the MAC is over. Of a token that was used, `used` stands in the place of the secret. */
const partsOf = ({ purpose, id, boundTo }: Pick<OpenToken, 'id' | 'purpose' | 'boundTo'>, secret: string): string[] => [
  purpose,
  id,
  boundTo,
  secret,
];

/** The id of the row that the token names, which proves nothing yet; undefined for a text that is no token. */
function idIn(token: string): string | undefined {
  const hex = /^([0-9a-f]{8})([0-9a-f]{4})(7[0-9a-f]{3})([89ab][0-9a-f]{3})([0-9a-f]{12})[0-9a-f]{64}$/.exec(token);
  return hex?.slice(1).join('-');
}
