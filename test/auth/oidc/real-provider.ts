import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { once } from 'node:events';
import { createServer, request, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type KoaContextWithOIDC, Provider } from 'oidc-provider';
import type { Answer } from '../../support/http.js';
import type { Authority } from '../../support/tls-servers.js';

/** A person at the provider. */
export interface Person {
  readonly sub: string;
  readonly email: string;
  readonly email_verified: boolean;
  readonly name: string;
}

/** A certified OpenID provider (`oidc-provider`) in this process, over HTTPS. Whoever comes is `next`, and consents. */
export class RealProvider {
  next: Person | undefined;
  amr: string[] = ['pwd'];
  readonly secret = randomBytes(24).toString('base64url');
  private readonly people = new Map<string, Person>();
  private provider: Provider | undefined;
  private fault: string | undefined;

  private constructor(
    private readonly server: Server,
    private readonly ca: string,
    /** The file of its certificate, for a browser that is to trust it. */
    readonly certificate: string,
  ) {}

  static async start(authority: Authority): Promise<RealProvider> {
    const { cert, key } = await authority.issue('provider', [{ type: 'dns', value: 'localhost' }]);
    const server = createServer({ cert: readFileSync(cert), key: readFileSync(key) });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new RealProvider(server, readFileSync(authority.caFile, 'utf8'), cert);
  }

  get host(): string {
    return `localhost:${(this.server.address() as AddressInfo).port}`;
  }

  get issuer(): string {
    return `https://${this.host}`;
  }

  /** Once the service is there: the provider knows it by its callback. */
  register(callback: string, logoutUri: string, post: (path: string, body: string) => Promise<Answer>): void {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const provider = new Provider(this.issuer, {
      clients: [
        {
          client_id: 'the-service',
          client_secret: this.secret,
          redirect_uris: [callback],
          response_types: ['code'],
          grant_types: ['authorization_code'],
          id_token_signed_response_alg: 'ES256',
          backchannel_logout_uri: logoutUri,
        },
      ],
      jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), alg: 'ES256', use: 'sig' }] },
      cookies: { keys: [randomBytes(16).toString('hex')] },
      claims: { openid: ['sub', 'amr', 'auth_time'], email: ['email', 'email_verified'], profile: ['name'] },
      conformIdTokenClaims: false,
      fetch: async (url, options) => {
        const { status } = await post(
          new URL(url as URL).pathname,
          (options as { body: URLSearchParams }).body.toString(),
        );
        return new Response(null, { status });
      },
      pkce: { required: () => true },
      features: { devInteractions: { enabled: false }, backchannelLogout: { enabled: true } },
      interactions: { url: (_, { uid }) => `/interaction/${uid}` },
      findAccount: (_, id) => {
        const person = this.people.get(id);
        return person && { accountId: id, claims: () => ({ ...person }) };
      },
      loadExistingGrant: (context) => this.grant(context),
    });
    this.provider = provider;
    provider.on('authorization.error', (_, { error_description: why }) => (this.fault = why));
    const callbackOf = provider.callback();
    this.server.on('request', (incoming: IncomingMessage, response: ServerResponse) => {
      if (incoming.url?.startsWith('/interaction/') === true) return void this.signIn(incoming, response);
      return void callbackOf(incoming, response);
    });
  }

  /** A browser with a session of nobody follows the page. @returns the query with which it comes back. */
  async visit(page: URL): Promise<string> {
    const cookies = new Map<string, string>();
    for (let url = page, step = 0; step < 10; step += 1) {
      const { status, location, set } = await this.get(url, cookies);
      for (const text of set) {
        const [pair = ''] = text.split(';');
        cookies.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1));
      }
      if (location === undefined)
        throw new Error(`the provider stopped with ${status} at ${url.pathname}: ${this.fault}`);
      url = new URL(location, url);
      if (url.host !== this.host) return url.search;
    }
    throw new Error('the provider leads in a circle');
  }

  /** The person signs out there: the provider tells the service. */
  async signOut(sub: string): Promise<void> {
    const client = await this.provider?.Client.find('the-service');
    // Not in the published types: what the page of the provider calls at the end of a session.
    const { backchannelLogout } = client as unknown as { backchannelLogout(sub: string, sid?: string): Promise<void> };
    await backchannelLogout.call(client, sub);
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async signIn(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const person = this.next;
    if (person === undefined || this.provider === undefined) return void response.writeHead(500).end();
    this.people.set(person.sub, person);
    const login = { accountId: person.sub, amr: this.amr, remember: false };
    await this.provider.interactionFinished(incoming, response, { login });
  }

  private async grant({ oidc }: KoaContextWithOIDC) {
    const { provider } = this;
    if (provider === undefined || oidc.client === undefined || oidc.session?.accountId === undefined) return undefined;
    const grant = new provider.Grant({ accountId: oidc.session.accountId, clientId: oidc.client.clientId });
    grant.addOIDCScope('openid email profile');
    await grant.save();
    return grant;
  }

  private async get(url: URL, cookies: ReadonlyMap<string, string>) {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const outgoing = request(url, { ca: this.ca, agent: false, headers: cookie === '' ? {} : { cookie } }).end();
    const [{ statusCode: status, headers }] = (await once(outgoing, 'response')) as [IncomingMessage];
    return { status, location: headers.location, set: headers['set-cookie'] ?? [] };
  }
}
