import { createPrivateKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import {
  createRemoteJWKSet,
  customFetch as joseFetch,
  errors,
  jwtVerify,
  type JWTPayload,
  type JWTVerifyGetKey,
} from 'jose';
import * as openid from 'openid-client';
import { ConfigurationError } from '../../config/index.js';
import { type EgressClient, fetchThrough } from '../../egress/index.js';
import { readClaims, type Claims } from './claims.js';
import { providerUnavailable, signInRefused } from './oidc-problems.js';
import type { ProviderSettings } from './oidc.settings.js';

/** Discovery documents and key sets are a few kilobytes. */
const bounds = { milliseconds: 5_000, bytes: 256 * 1024 };
const metadataTtlMs = 60 * 60_000;
const clockToleranceSeconds = 10;
/** Signatures of a key that only the provider has. `none` and those with a shared secret are not among them. */
const algorithms = [
  'ES256',
  'ES384',
  'ES512',
  'PS256',
  'PS384',
  'PS512',
  'RS256',
  'RS384',
  'RS512',
  'EdDSA',
  'Ed25519',
];
const logoutEvent = 'http://schemas.openid.net/event/backchannel-logout';
const logoutMaxAge = '5m';

/** What a sign-in sends out, and what has to come back with it. */
export interface Expectations {
  readonly state: string;
  readonly nonce: string;
  /** Of PKCE: 43 characters. */
  readonly verifier: string;
}

interface Metadata {
  readonly configuration: openid.Configuration;
  readonly keys: JWTVerifyGetKey;
  readonly readAt: number;
}

/** One OpenID provider. What it says is read when it is needed: one that is down keeps nothing else from starting. */
export class IdentityProvider {
  private metadata: Promise<Metadata> | undefined;
  private readonly authentication: openid.ClientAuth;
  private readonly send: ReturnType<typeof fetchThrough>;

  /** @throws ConfigurationError when the key of the client cannot be read. */
  constructor(
    readonly name: string,
    readonly settings: ProviderSettings,
    private readonly redirectUri: string,
    client: EgressClient,
  ) {
    this.authentication = authenticationOf(name, settings);
    this.send = fetchThrough(client, bounds);
  }

  get label(): string {
    return this.settings.LABEL ?? this.name[0]?.toUpperCase() + this.name.slice(1);
  }

  /**
   * Where the browser goes.
   * @param isFresh the person signs in there anew, whatever session they have.
   * @throws Problem unavailable
   */
  async authorizationUrl({ state, nonce, verifier }: Expectations, isFresh: boolean): Promise<string> {
    const { configuration } = await this.read();
    const { SCOPES, MAX_AGE_SECONDS } = this.settings;
    const maxAge = isFresh ? 0 : MAX_AGE_SECONDS;
    const url = openid.buildAuthorizationUrl(configuration, {
      redirect_uri: this.redirectUri,
      response_type: 'code',
      scope: SCOPES.join(' '),
      state,
      nonce,
      code_challenge: await openid.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      ...(maxAge === undefined ? {} : { max_age: String(maxAge) }),
      ...(isFresh ? { prompt: 'login' } : {}),
    });
    return url.href;
  }

  /**
   * Redeems the code, and reads the ID token: signature, issuer, audience, authorized party, times, nonce (OpenID
   * Connect Core 1.0 s3.1.3.7).
   * @param search the query of the callback, with its question mark.
   * @throws Problem provider-sign-in-refused, or unavailable.
   */
  async redeem(search: string, { state, nonce, verifier }: Expectations): Promise<Claims> {
    const { configuration } = await this.read();
    const { MAX_AGE_SECONDS } = this.settings;
    try {
      const answer = await openid.authorizationCodeGrant(configuration, new URL(this.redirectUri + search), {
        expectedState: state,
        expectedNonce: nonce,
        pkceCodeVerifier: verifier,
        idTokenExpected: true,
        ...(MAX_AGE_SECONDS === undefined ? {} : { maxAge: MAX_AGE_SECONDS }),
      });
      const token = answer.claims();
      if (token === undefined) throw new TypeError('there is no ID token');
      return readClaims(token);
    } catch (error) {
      throw isOutage(error) ? providerUnavailable(error) : signInRefused(error);
    }
  }

  /**
   * Whose sessions a logout token ends (OpenID Connect Back-Channel Logout 1.0 s2.6, ASVS v5.0.0-10.5.5). An ID token
   * has another type, no such event and a nonce: it is none.
   * @throws Problem provider-sign-in-refused, or unavailable.
   */
  async readLogoutToken(text: string): Promise<{ readonly subject: string; readonly issuedAt: Date }> {
    const { keys } = await this.read();
    const { ISSUER: issuer = '', CLIENT_ID: audience = '' } = this.settings;
    try {
      const { payload } = await jwtVerify(text, keys, {
        issuer,
        audience,
        algorithms,
        typ: 'logout+jwt',
        requiredClaims: ['iat', 'exp', 'jti', 'sub', 'events'],
        maxTokenAge: logoutMaxAge,
        clockTolerance: clockToleranceSeconds,
      });
      return logoutIn(payload);
    } catch (error) {
      throw isOutageOfKeys(error) ? providerUnavailable(error) : signInRefused(error);
    }
  }

  /** The second factor that the provider has seen counts only in words that the owner has named. */
  hasSeenSecondFactor({ amr, acr }: Claims): boolean {
    const { SECOND_FACTOR_AMR, SECOND_FACTOR_ACR } = this.settings;
    return (
      amr.some((word) => SECOND_FACTOR_AMR.includes(word)) || (acr !== undefined && SECOND_FACTOR_ACR.includes(acr))
    );
  }

  /** Kept for an hour; what failed is not kept. */
  private async read(): Promise<Metadata> {
    const known = await this.metadata?.catch(() => undefined);
    if (known !== undefined && Date.now() - known.readAt < metadataTtlMs) return known;
    this.metadata = this.discover();
    try {
      return await this.metadata;
    } catch (error) {
      throw providerUnavailable(error);
    }
  }

  private async discover(): Promise<Metadata> {
    const { ISSUER = '', CLIENT_ID = '', HOSTS } = this.settings;
    const configuration = await openid.discovery(
      new URL(ISSUER),
      CLIENT_ID,
      { [openid.clockTolerance]: clockToleranceSeconds },
      this.authentication,
      {
        [openid.customFetch]: this.send,
        timeout: bounds.milliseconds / 1000,
        // The signature counts even of a token that came straight from the provider (ASVS v5.0.0-6.8.2).
        execute: [openid.enableNonRepudiationChecks],
      },
    );
    const { issuer, authorization_endpoint: page = '', jwks_uri: keys = '' } = configuration.serverMetadata();
    // Letter for letter (ASVS v5.0.0-10.5.3).
    if (issuer !== ISSUER) throw new Error('the discovery document is of another issuer');
    // Browsers are sent to listed hosts only (ASVS v5.0.0-3.7.2).
    const listed = [new URL(ISSUER).origin, ...HOSTS];
    if (!URL.canParse(page) || !listed.includes(new URL(page).origin))
      throw new Error('the discovery document names a host that is not in HOSTS');
    return {
      configuration,
      keys: createRemoteJWKSet(new URL(keys), { [joseFetch]: this.send, timeoutDuration: bounds.milliseconds }),
      readAt: Date.now(),
    };
  }
}

function logoutIn({ sub, iat, events, nonce }: JWTPayload) {
  const isLogout = typeof events === 'object' && events !== null && Object.hasOwn(events, logoutEvent);
  if (!isLogout || nonce !== undefined || sub === undefined || iat === undefined)
    throw new TypeError('it is no logout token');
  return { subject: sub, issuedAt: new Date(iat * 1000) };
}

/** Codes of openid-client for answers that are none: nobody has said anything about the person. */
const outages = new Set([
  'OAUTH_RESPONSE_IS_NOT_CONFORM',
  'OAUTH_RESPONSE_IS_NOT_JSON',
  'OAUTH_TIMEOUT',
  'OAUTH_ABORT',
]);

function isOutage(error: unknown): boolean {
  const { code } = error as { readonly code?: unknown };
  if (typeof code === 'string' && outages.has(code)) return true;
  // What the network or egress threw: openid-client wraps it without a code.
  return error instanceof openid.ClientError && code === undefined;
}

/** The same of jose, which throws on what the network threw. */
function isOutageOfKeys(error: unknown): boolean {
  if (error instanceof TypeError) return false;
  const keySet = ['ERR_JWKS_TIMEOUT', 'ERR_JWKS_INVALID', 'ERR_JOSE_GENERIC'];
  return !(error instanceof errors.JOSEError) || keySet.includes(error.code);
}

function authenticationOf(name: string, settings: ProviderSettings): openid.ClientAuth {
  const { CLIENT_SECRET, PRIVATE_KEY_FILE, PRIVATE_KEY_ID } = settings;
  if (PRIVATE_KEY_FILE === undefined) return openid.ClientSecretBasic(CLIENT_SECRET);
  const variable = `OIDC_${name.toUpperCase()}_PRIVATE_KEY_FILE`;
  return openid.PrivateKeyJwt({
    key: cryptoKeyOf(PRIVATE_KEY_FILE, variable),
    ...(PRIVATE_KEY_ID && { kid: PRIVATE_KEY_ID }),
  });
}

function cryptoKeyOf(file: string, variable: string) {
  try {
    const key = createPrivateKey(readFileSync(file));
    return key.toCryptoKey(algorithmOf(key), false, ['sign']);
  } catch (error) {
    throw Object.assign(
      new ConfigurationError([
        `${variable}: set a PEM file with a private key of EC P-256, Ed25519 or RSA that the service may read`,
      ]),
      { cause: error },
    );
  }
}

function algorithmOf({ asymmetricKeyType: type }: KeyObject) {
  if (type === 'ec') return { name: 'ECDSA', namedCurve: 'P-256' };
  if (type === 'ed25519') return { name: 'Ed25519' };
  // PSS, and not the older PKCS #1 v1.5.
  return { name: 'RSA-PSS', hash: 'SHA-256' };
}
