import { generateKeyPairSync, hash, randomUUID, type KeyObject } from 'node:crypto';
import { calculateJwkThumbprint, SignJWT, type JWK } from 'jose';
import { expect } from 'vitest';
import { CONFIG, type Config } from '../../../src/config/index.js';
import { signIn, type Actor } from '../../support/actors.js';
import type { TestApp } from '../../support/app.js';
import type { Answer, RequestParts } from '../../support/http.js';

export const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

export interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly jwk: JWK & { readonly kid: string };
}

export function newKey(kid: string = randomUUID()): KeyPair {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { privateKey, publicKey, jwk: { ...(publicKey.export({ format: 'jwk' }) as JWK), kid } };
}

/** Where the service says that it is. */
export const publicUrlOf = (app: TestApp): string =>
  app.on(0).service.app.get<Config>(CONFIG, { strict: false }).publicUrl;
export const issuerOf = (app: TestApp): string => `${publicUrlOf(app)}/oauth`;

export const nowSeconds = (): number => Math.floor(Date.now() / 1000);

export interface Registration {
  readonly name?: string;
  readonly scopes?: readonly string[];
  readonly requiresDpop?: boolean;
}

/** A form, as clients of OAuth send it. */
export const form = (fields: Readonly<Record<string, string>>): RequestParts => ({
  raw: new URLSearchParams(fields).toString(),
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
});

/** A program that an administrator has registered. */
export class RegisteredClient {
  private constructor(
    readonly app: TestApp,
    readonly id: string,
    readonly key: KeyPair,
  ) {}

  static async create(
    app: TestApp,
    administrator: Actor,
    ownerId: string,
    { name = 'Analyser', scopes = ['sample:read'], requiresDpop = false }: Registration = {},
  ): Promise<RegisteredClient> {
    const key = newKey();
    const { token } = await signIn(app, administrator);
    const body = { name, ownerId, scopes, requiresDpop, key: key.jwk };
    const { status, body: made } = await app.request('POST', '/v1/clients', { token, body });
    expect([status, made]).toEqual([201, expect.anything()]);
    return new RegisteredClient(app, made.id as string, key);
  }

  /** @param claims over those of an honest assertion; undefined leaves one out. */
  assertion(claims: Readonly<Record<string, unknown>> = {}, { key = this.key, alg = 'ES256' } = {}): Promise<string> {
    const all = {
      iss: this.id, sub: this.id, aud: issuerOf(this.app), jti: randomUUID(), iat: nowSeconds(), exp: nowSeconds() + 60,
      ...claims,
    }; // prettier-ignore
    return new SignJWT(all).setProtectedHeader({ alg, kid: key.jwk.kid }).sign(key.privateKey);
  }

  /** Asks for a token with this assertion, or an honest one. */
  async ask({ assertion, proof, fields = {}, parts = {}, on = 0 }: Asking = {}): Promise<Answer> {
    const { raw, headers } = form({
      grant_type: 'client_credentials',
      scope: 'sample:read',
      client_assertion_type: assertionType,
      client_assertion: assertion ?? (await this.assertion()),
      ...fields,
    });
    const all = { ...headers, ...(proof !== undefined && { dpop: proof }), ...parts.headers };
    return this.app.on(on).request('POST', '/oauth/token', { ...parts, raw: raw ?? '', headers: all });
  }

  async token(asking: Asking = {}): Promise<string> {
    const { status, body } = await this.ask(asking);
    expect([status, body]).toEqual([200, expect.anything()]);
    return body.access_token as string;
  }

  /** Asks, or says, something about a token: `introspect`, `revoke`. */
  async about(what: 'introspect' | 'revoke', token: string, assertion?: string, on = 0): Promise<Answer> {
    const fields = { client_assertion_type: assertionType, client_assertion: assertion ?? (await this.assertion()) };
    return this.app.on(on).request('POST', `/oauth/${what}`, form({ token, ...fields }));
  }

  /** A proof of possession (RFC 9449 s4.2) for a request to this path. */
  async proof(
    { method = 'GET', path, token }: { method?: string; path: string; token?: string },
    claims: Readonly<Record<string, unknown>> = {},
    key = this.key,
  ): Promise<string> {
    const ath = token === undefined ? {} : { ath: hash('sha256', token, 'base64url') };
    const { kid: _, ...jwk } = key.jwk;
    const all = { jti: randomUUID(), htm: method, htu: `${publicUrlOf(this.app)}${path}`, iat: nowSeconds(), ...ath };
    return new SignJWT({ ...all, ...claims })
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk })
      .sign(key.privateKey);
  }

  /** A token that is bound to the client's key. */
  async boundToken(): Promise<string> {
    return this.token({ proof: await this.proof({ method: 'POST', path: '/oauth/token' }) });
  }

  thumbprint(): Promise<string> {
    return calculateJwkThumbprint(this.key.jwk);
  }
}

interface Asking {
  readonly assertion?: string;
  readonly proof?: string;
  readonly fields?: Readonly<Record<string, string>>;
  readonly parts?: RequestParts;
  /** The instance. */
  readonly on?: number;
}
