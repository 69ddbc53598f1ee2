import { errors, Provider, type AdapterPayload, type Configuration, type KoaContextWithOIDC } from 'oidc-provider';
import { machineScopes } from '../../common/access/access.decorators.js';
import type { Clock } from '../../common/clock.js';
import { idPattern } from '../../common/http/fields.js';
import { requestContext } from '../../common/http/request-context.js';
import type { Config } from '../../config/index.js';
import { accessTokenTtlSeconds } from '../signing-keys/lifetimes.js';
import type { SigningKeys } from '../signing-keys/signing-keys.js';
import type { Client } from './client.js';
import type { ClientClaims } from './client-token.js';
import type { ClientRepository } from './client.repository.js';
import { CurrentKey } from './current-key.js';
import { issuerOf } from './issuer.js';
import { presentedToken } from './presented-token.js';
import { signatureAlgorithms } from './public-keys.js';

/** Of an assertion, from now on: whoever reads one out of a log comes too late (ASVS v5.0.0-10.4.16). */
const maxAssertionSeconds = 120;

type ServiceClient = NonNullable<KoaContextWithOIDC['oidc']['client']> & { readonly version: number };

const algorithms = [...signatureAlgorithms];
const off = { enabled: false } as const;

/** What people and browsers take part in. */
const interactive = {
  devInteractions: off,
  userinfo: off,
  rpInitiatedLogout: off,
  pushedAuthorizationRequests: off,
  claimsParameter: off,
  backchannelLogout: off,
};

/** What a token of another client is, is nobody's business (RFC 7662 s4), and to end it neither (RFC 7009 s2.1). */
const isOwn = (_: unknown, { clientId }: { clientId: string }, token: { clientId?: string | undefined }): boolean =>
  token.clientId === clientId;

/** As the library would have stored it. */
const payloadOf = (claims: ClientClaims | undefined): AdapterPayload | undefined =>
  claims && {
    kind: 'ClientCredentials',
    jti: claims.jti,
    clientId: claims.clientId,
    iat: claims.issuedAt,
    exp: claims.expiresAt,
    aud: claims.audience,
    scope: claims.scopes.join(' '),
    extra: { sub: claims.clientId },
    ...(claims.jkt !== undefined && { jkt: claims.jkt }),
    ...(claims.x5t !== undefined && { 'x5t#S256': claims.x5t }),
  };

/** RFC 8705: the library compares, and binds tokens; whether a certificate counts was decided before. */
const mTLS = {
  enabled: true,
  tlsClientAuth: true,
  certificateBoundAccessTokens: true,
  getCertificate: () => requestContext()?.certificate?.decoded,
  certificateAuthorized: () => requestContext()?.certificate !== undefined,
  certificateSubjectMatches: (_: KoaContextWithOIDC, property: string, expected: string) =>
    requestContext()?.certificate?.names.includes(`${property.replace('tls_client_auth_san_', '')}:${expected}`) ===
    true,
};

const nothing = () => Promise.resolve(undefined);

/** What the library is given in place of its own. */
export interface Parts {
  readonly clients: ClientRepository;
  readonly keys: SigningKeys;
  readonly clock: Clock;
  readonly config: Config;
}

export const createProvider = (parts: Parts): Provider =>
  new Provider(issuerOf(parts.config), new Settings(parts).configuration());

/** How the client proves who it is. */
function proofOf({ keys, certificate }: Client) {
  if (certificate === null)
    return { token_endpoint_auth_method: 'private_key_jwt', jwks: JSON.parse(keys) as object } as const;
  const [, kind = '', name] = /^(dns|uri):(.*)$/.exec(certificate) ?? [];
  return {
    token_endpoint_auth_method: 'tls_client_auth',
    [`tls_client_auth_san_${kind}`]: name,
    tls_client_certificate_bound_access_tokens: true,
  } as const;
}

/** `oidc-provider` with everything off but one grant. */
class Settings {
  constructor(private readonly parts: Parts) {}

  configuration(): Configuration {
    return {
      adapter: (name: string) => this.adapterOf(name),
      jwks: { keys: [new CurrentKey(this.parts.keys)] },
      clientAuthMethods: ['private_key_jwt', 'tls_client_auth'],
      enabledJWA: { clientAuthSigningAlgValues: algorithms, dPoPSigningAlgValues: algorithms },
      routes: { token: '/token', introspection: '/introspect', revocation: '/revoke' },
      scopes: machineScopes,
      claims: {},
      responseTypes: [],
      // There are no ID tokens, and the library asks for their algorithm.
      clientDefaults: { id_token_signed_response_alg: 'ES256' },
      ttl: { ClientCredentials: accessTokenTtlSeconds },
      extraClientMetadata: { properties: ['version'] },
      formats: { customizers: { jwt: (_, { client }, token) => this.complete(client as ServiceClient, token) } },
      assertJwtClientAuthClaimsAndHeader: (_, claims) => this.assertBrief(claims),
      // No address of a client is ever called: none can be registered, and nothing would leave if one were (A7-6).
      fetch: () => Promise.reject(new Error('the authorization server calls nobody')),
      features: { ...interactive, ...this.features() },
    };
  }

  private features(): Configuration['features'] {
    return {
      clientCredentials: { enabled: true },
      introspection: { enabled: true, allowedPolicy: isOwn },
      revocation: { enabled: true, allowedPolicy: isOwn },
      dPoP: { enabled: true },
      mTLS,
      externalSigningSupport: { enabled: true, ack: 'experimental-01' },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => this.parts.config.publicUrl,
        getResourceServerInfo: (context, resource, client) =>
          this.resourceServer(context, resource, client.scope ?? ''),
      },
    };
  }

  private adapterOf(name: string) {
    return {
      find: async (id: string): Promise<AdapterPayload | undefined> => {
        if (name === 'ClientCredentials') return payloadOf(presentedToken.getStore());
        return name === 'Client' ? ((await this.metadataOf(id)) as AdapterPayload | undefined) : undefined;
      },
      upsert: (id: string, { iss }: AdapterPayload & { iss?: unknown }, seconds: number) => {
        if (name !== 'ReplayDetection') throw new Error(`the authorization server stores no ${name}`);
        return this.spend(String(iss), id, seconds);
      },
      consume: nothing,
      destroy: () => this.revokePresented(),
      findByUid: nothing,
      findByUserCode: nothing,
      revokeByGrantId: nothing,
    };
  }

  /** Asked at each request: a client that was disabled a moment ago gets nothing. */
  private async metadataOf(id: string) {
    const state = idPattern.test(id) ? await this.parts.clients.findState(id) : undefined;
    if (state === undefined) return undefined;
    const { scopes, requiresDpop, version }: Client = state.client;
    return {
      client_id: id,
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      ...proofOf(state.client),
      // The feature of a scope may have been removed since.
      scope: scopes.filter((scope) => machineScopes.includes(scope)).join(' '),
      dpop_bound_access_tokens: requiresDpop,
      version,
    };
  }

  private async revokePresented(): Promise<undefined> {
    const claims = presentedToken.getStore();
    if (claims === undefined) throw new Error('there is no token to revoke');
    await this.parts.clients.revoke(claims.clientId, claims.jti, new Date(claims.expiresAt * 1000));
  }

  /** An assertion, or a proof of possession at the token endpoint. */
  private async spend(clientId: string, jti: string, seconds: number): Promise<undefined> {
    const until = new Date(this.parts.clock.now().getTime() + seconds * 1000);
    if (!(await this.parts.clients.spend(clientId, jti, until)))
      throw new errors.InvalidRequest('the jti was used before');
  }

  /** Besides what the provider checks: signature, key, `iss`, `sub`, `jti`. */
  private assertBrief({ aud, exp }: Readonly<Record<string, unknown>>): void {
    // The issuer and nothing else: an assertion for another server, or another endpoint, must not work here.
    if (aud !== issuerOf(this.parts.config)) throw new errors.InvalidClientAuth('the audience is not the issuer');
    if (Number(exp) > Date.now() / 1000 + maxAssertionSeconds) throw new errors.InvalidClientAuth('it lasts too long');
  }

  private resourceServer({ oidc }: KoaContextWithOIDC, resource: string, registered: string) {
    if (resource !== this.parts.config.publicUrl) throw new errors.InvalidTarget();
    const asked = [...oidc.requestParamScopes].filter((scope) => scope !== '');
    if (asked.length === 0) throw new errors.InvalidScope('name the scopes that are needed', '');
    // The provider would leave out in silence what it does not know.
    const beyond = asked.find((scope) => !registered.split(' ').includes(scope));
    if (beyond !== undefined) throw new errors.InvalidScope('the client is not registered for it', beyond);
    return {
      scope: registered,
      audience: this.parts.config.publicUrl,
      accessTokenTTL: accessTokenTtlSeconds,
      accessTokenFormat: 'jwt' as const,
      jwt: { sign: { alg: 'ES256' as const } },
    };
  }

  /** RFC 9068, in the order in which `clientTokenOf()` looks for it, by our clock and under the key of this moment. */
  private complete(client: ServiceClient, token: { header?: object; payload: Record<string, unknown> }): void {
    const { iss, aud, sub, client_id, scope, jti, cnf } = token.payload;
    const iat = Math.floor(this.parts.clock.now().getTime() / 1000);
    const times = { iat, exp: iat + accessTokenTtlSeconds };
    token.header = { kid: this.parts.keys.active.id };
    token.payload = { iss, aud, sub, client_id, scope, ...times, jti, version: client.version, cnf };
  }
}
