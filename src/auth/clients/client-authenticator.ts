import { hash } from 'node:crypto';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { CredentialRefused } from '../../common/access/credential-refused.js';
import { ExposedCredentials } from '../../common/access/exposed-credentials.js';
import { MachineAuthenticators, type MachineAuthenticator } from '../../common/access/machine-authenticators.js';
import type { Machine } from '../../common/access/principal.js';
import type { Revocation } from '../../common/access/revocations.js';
import { Clock } from '../../common/clock.js';
import { SecurityEvents } from '../../common/events/security-events.js';
import { requestContext, type ProvedCertificate } from '../../common/http/request-context.js';
import { CONFIG, type Config } from '../../config/index.js';
import { SharedState } from '../../shared-state/index.js';
import { AccessTokens } from '../authentication/access-tokens.js';
import { BoundedCache } from '../authentication/bounded-cache.js';
import { RememberedStates } from '../authentication/remembered-states.js';
import { clockSkewSeconds } from '../signing-keys/lifetimes.js';
import { SigningKeys } from '../signing-keys/signing-keys.js';
import { issuerOf, metadataPath, mount } from './issuer.js';
import { ClientRepository, revokedDigest, type ClientState } from './client.repository.js';
import { beginningOf, clientTokenOf, type ClientClaims, type Expected } from './client-token.js';
import { assertProof, proofWindowSeconds } from './possession-proof.js';

const rememberedTokens = 5_000;
const header = /^(Bearer|DPoP) ([A-Za-z0-9_-]+\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]{85}[AQgw])$/i;

/** The second part begins with `{"iss":"https:/`, which that of no session does. */
const lookAlike = /[\w-]{1,200}\.eyJpc3MiOiJodHRwczov[\w-]{1,2000}\.[\w-]{86}/g;

const isOAuthRoute = ({ routeOptions: { url = '' } }: FastifyRequest): boolean =>
  url.startsWith(`${mount}/`) || url === metadataPath;

const thumbprintOf = (certificate?: ProvedCertificate): string | undefined =>
  certificate && Buffer.from(certificate.fingerprint, 'hex').toString('base64url');

type State = ClientState & { readonly principal: Machine };

/** Who calls with an access token of a client. What the client may is asked at each request, as of a session. */
@Injectable()
export class ClientAuthenticator implements MachineAuthenticator, OnModuleInit {
  readonly name = 'client';
  readonly place = 'authorization';
  readonly scheme = {
    type: 'oauth2',
    flows: { clientCredentials: { tokenUrl: `${mount}/token`, scopes: {} } },
    description: 'An access token of a registered client. Its scopes are names of permissions.',
  } as const;
  private readonly expected: Expected;
  private readonly beginning: string;
  /** An ES256 check costs 200 us, a look-up 1.3. */
  private readonly verified = new BoundedCache<string, ClientClaims>(rememberedTokens);
  private readonly callers = new WeakMap<Machine, ClientClaims>();
  private readonly states: RememberedStates<State>;

  @Inject(MachineAuthenticators) private readonly authenticators: MachineAuthenticators;
  @Inject(SigningKeys) private readonly keys: SigningKeys;
  @Inject(ExposedCredentials) private readonly exposed: ExposedCredentials;
  @Inject(SecurityEvents) private readonly events: SecurityEvents;
  @Inject(CONFIG) private readonly config: Config;

  constructor(
    private readonly clients: ClientRepository,
    private readonly tokens: AccessTokens,
    private readonly clock: Clock,
    sharedState: SharedState,
    @Inject(CONFIG) config: Config,
  ) {
    this.expected = { issuer: issuerOf(config), audience: config.publicUrl };
    this.beginning = beginningOf(this.expected);
    this.states = new RememberedStates((id) => this.load(id), sharedState, clock);
  }

  onModuleInit(): void {
    this.authenticators.register(this);
    this.exposed.subscribe({
      kind: 'client-tokens',
      pattern: lookAlike,
      revoke: (lookAlikes) => this.revokeExposed(lookAlikes),
    });
  }

  /** `DPoP` is a scheme of clients alone: whatever comes with it is none of a person. */
  find({ headers: { authorization } }: FastifyRequest): string | undefined {
    if (authorization === undefined) return undefined;
    const [, scheme = '', token, body = ''] = header.exec(authorization) ?? [];
    if (/^dpop /i.test(authorization) && token === undefined) throw new CredentialRefused('malformed');
    return scheme.toLowerCase() === 'dpop' || body.startsWith(this.beginning) ? token : undefined;
  }

  takesCertificate(request: FastifyRequest): boolean {
    return isOAuthRoute(request) || this.find(request) !== undefined;
  }

  async authenticate(token: string, request: FastifyRequest): Promise<Machine> {
    const claims = await this.claimsOf(token);
    const machine = await this.machineOf(claims);
    await this.assertHolder(token, claims, request);
    return machine;
  }

  /** What a token is worth at this moment; undefined for one that is worth nothing, or no token. */
  async inspect(token: string): Promise<ClientClaims | undefined> {
    try {
      const claims = await this.claimsOf(token);
      return { ...claims, scopes: (await this.machineOf(claims)).scopes };
    } catch (error) {
      if (error instanceof CredentialRefused) return undefined;
      throw error;
    }
  }

  async present(machine: Machine): Promise<Machine | undefined> {
    const claims = this.callers.get(machine);
    if (claims === undefined) return undefined;
    try {
      this.assertInTime(claims);
      return await this.machineOf(claims);
    } catch (error) {
      if (error instanceof CredentialRefused) return undefined;
      throw error;
    }
  }

  forget(revocation: Revocation): void {
    this.states.forget(revocation);
  }

  private async revokeExposed(lookAlikes: readonly string[]): Promise<void> {
    for (const text of lookAlikes) {
      const claims = await this.inspect(text);
      if (claims === undefined) continue;
      await this.clients.revoke(claims.clientId, claims.jti, new Date(claims.expiresAt * 1000));
      const details = { reason: 'client-token', client: claims.clientId };
      this.events.reportLater({ action: 'authn_credential_in_clear', outcome: 'denied', details });
    }
  }

  /** Of a token that this service signed for a client, and that has not expired. @throws CredentialRefused */
  private async claimsOf(token: string): Promise<ClientClaims> {
    const digest = hash('sha256', token, 'base64');
    const known = this.verified.get(digest);
    // A token ends with its signing key, also one that is remembered.
    if (known !== undefined && this.keys.find(known.keyId) !== undefined) {
      this.assertInTime(known);
      return known;
    }
    await this.tokens.learnKeyOf(token);
    const claims = clientTokenOf(token, this.tokens.keyOf(token), this.expected);
    this.assertInTime(claims);
    this.verified.set(digest, claims);
    return claims;
  }

  private assertInTime({ issuedAt, expiresAt }: ClientClaims): void {
    const now = Math.floor(this.clock.now().getTime() / 1000);
    if (expiresAt <= now) throw new CredentialRefused('expired');
    if (issuedAt > now + clockSkewSeconds) throw new CredentialRefused('not-yet-valid');
  }

  private async machineOf(claims: ClientClaims): Promise<Machine> {
    const state = await this.states.find(claims.clientId);
    if (state === undefined || state.client.version !== claims.version) throw new CredentialRefused('revoked');
    // Hardly any client has revoked a token in the last minutes: then there is nothing to digest.
    const isRevoked = state.revoked.size > 0 && state.revoked.has(revokedDigest(claims.clientId, claims.jti));
    if (isRevoked) throw new CredentialRefused('revoked');
    const scopes = claims.scopes.filter((scope) => state.client.scopes.includes(scope));
    const machine = Object.freeze({ ...state.principal, scopes });
    this.callers.set(machine, claims);
    return machine;
  }

  /**
   * A token that is bound to a key counts with a proof, one that is not without (RFC 9449 s7.1, ASVS v5.0.0-10.3.5);
   * one that is bound to a certificate counts with that certificate (RFC 8705 s3).
   */
  private async assertHolder(token: string, claims: ClientClaims, request: FastifyRequest): Promise<void> {
    const { jkt, x5t, clientId } = claims;
    if (x5t !== undefined && x5t !== thumbprintOf(requestContext()?.certificate)) throw new CredentialRefused('proof');
    const isBearer = /^bearer /i.test(request.headers.authorization ?? '');
    if (isBearer !== (jkt === undefined)) throw new CredentialRefused('proof');
    if (jkt === undefined) return;
    const now = this.clock.now();
    const url = new URL(`${this.config.publicUrl}${request.url.split('?')[0] ?? ''}`).href;
    const jti = await assertProof(request.headers['dpop'], { method: request.method, url, token, jkt, now });
    const until = new Date(now.getTime() + 2 * proofWindowSeconds * 1000);
    if (!(await this.clients.spend(clientId, jti, until))) throw new CredentialRefused('proof');
  }

  private async load(id: string): Promise<State | undefined> {
    const state = await this.clients.findState(id);
    if (state === undefined) return undefined;
    const { client, roles } = state;
    const { ownerId: userId, id: machineId, scopes, tier } = client;
    return { ...state, principal: { kind: 'machine', method: this.name, userId, machineId, scopes, tier, roles } };
  }
}
