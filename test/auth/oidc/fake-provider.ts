import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { Authority } from '../../support/tls-servers.js';
import { TlsServer } from '../../egress/servers.js';

type Handler = (response: ServerResponse) => void;

/**
 * A provider that says whatever a test tells it to, over HTTPS. It redeems any code: for the person of `claims`, with
 * the nonce of the page that was visited last.
 */
export class FakeProvider {
  claims: Record<string, unknown> = {};
  /** Over the claims of every ID token. */
  override: Record<string, unknown> = {};
  /** Instead of the key that is published. */
  sign: (claims: Record<string, unknown>) => Promise<string>;
  discovery: Record<string, unknown> = {};
  /** Instead of the honest answer of a path. */
  readonly instead = new Map<string, Handler>();
  nonce: string | undefined;
  private jwk: Record<string, unknown> = {};

  private constructor(
    readonly server: TlsServer,
    private readonly keys: Awaited<ReturnType<typeof generateKeyPair>>,
  ) {
    this.sign = (claims) => this.signWith(this.keys.privateKey, claims);
    server.answer = (response, url) => this.answer(response, url);
  }

  static async start(authority: Authority): Promise<FakeProvider> {
    const keys = await generateKeyPair('ES256', { extractable: true });
    const provider = new FakeProvider(await TlsServer.start(authority), keys);
    provider.jwk = { ...(await exportJWK(keys.publicKey)), kid: 'one', alg: 'ES256', use: 'sig' };
    return provider;
  }

  get host(): string {
    return `localhost:${this.server.port}`;
  }

  get issuer(): string {
    return `https://${this.host}`;
  }

  get publicKey(): Record<string, unknown> {
    return this.jwk;
  }

  reset(claims: Record<string, unknown>): void {
    this.claims = claims;
    this.override = {};
    this.discovery = {};
    this.instead.clear();
    this.sign = (all) => this.signWith(this.keys.privateKey, all);
    this.server.requests.length = 0;
  }

  /** The person signs in there. @returns the query of the callback. */
  visit(page: URL): string {
    this.nonce = page.searchParams.get('nonce') ?? undefined;
    const state = page.searchParams.get('state') ?? '';
    return `?${new URLSearchParams({ code: randomUUID(), state, iss: this.issuer }).toString()}`;
  }

  signWith(key: CryptoKey | Uint8Array, claims: Record<string, unknown>, header: object = {}): Promise<string> {
    return new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: 'one', ...header }).sign(key);
  }

  get privateKey(): CryptoKey {
    return this.keys.privateKey;
  }

  close(): Promise<void> {
    return this.server.close();
  }

  private answer(response: ServerResponse, url: string): void {
    const path = url.replace(/\?.*/, '');
    const instead = this.instead.get(path);
    if (instead !== undefined) return instead(response);
    const json = (body: object) =>
      void response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
    if (path === '/.well-known/openid-configuration') return json(this.metadata());
    if (path === '/jwks') return json({ keys: [this.jwk] });
    if (path === '/token') return void this.token().then(json);
    response.writeHead(404).end();
  }

  private metadata(): object {
    const { issuer } = this;
    return {
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/jwks`,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['ES256'],
      code_challenge_methods_supported: ['S256'],
      authorization_response_iss_parameter_supported: true,
      ...this.discovery,
    };
  }

  private async token(): Promise<object> {
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      iss: this.issuer,
      aud: 'the-service',
      iat: now,
      exp: now + 60,
      auth_time: now,
      nonce: this.nonce,
      ...this.claims,
      ...this.override,
    };
    return { access_token: randomUUID(), token_type: 'Bearer', expires_in: 60, id_token: await this.sign(claims) };
  }
}
