import { Inject, Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { CredentialRefused } from '../../common/access/credential-refused.js';
import { MachineAuthenticators, type MachineAuthenticator } from '../../common/access/machine-authenticators.js';
import type { Machine } from '../../common/access/principal.js';
import { Revocations, type Revocation } from '../../common/access/revocations.js';
import { Clock } from '../../common/clock.js';
import { requestContext } from '../../common/http/request-context.js';
import { SharedState } from '../../shared-state/index.js';
import { BoundedCache } from '../authentication/bounded-cache.js';
import { RememberedStates } from '../authentication/remembered-states.js';
import { readClientCert, type ClientCertificate } from './client-certificate.js';
import { OwnerRepository } from './owner.repository.js';
import { forwardedField, isVerified, shownCertificate } from './shown-certificates.js';
import { TrustFiles } from './trust-files.js';

const remembered = 1_000;

/**
 * Who calls with a certificate: of the connection, or the one that a gateway saw. Everything is asked at each request,
 * because a connection may be older than a revocation.
 */
@Injectable()
export class CertificateAuthenticator implements MachineAuthenticator, OnModuleInit {
  readonly name = 'mtls';
  readonly place = 'connection';
  readonly scheme = { type: 'mutualTLS', description: 'A client certificate that is mapped to a machine.' } as const;
  private readonly logger = new Logger('Mtls');
  private readonly forwarded = new BoundedCache<string, ClientCertificate>(remembered);
  /** For answers that last. Each request has a principal of its own, so that none stands for another certificate. */
  private readonly callers = new WeakMap<Machine, ClientCertificate>();
  private readonly states: RememberedStates<{ readonly principal: Machine }>;

  @Inject(MachineAuthenticators) private readonly authenticators: MachineAuthenticators;
  @Inject(Revocations) private readonly revocations: Revocations;

  constructor(
    private readonly files: TrustFiles,
    private readonly owners: OwnerRepository,
    private readonly clock: Clock,
    sharedState: SharedState,
  ) {
    this.states = new RememberedStates((id) => this.load(id), sharedState, clock);
  }

  onModuleInit(): void {
    if (!this.files.areConfigured) return;
    this.authenticators.register(this);
    this.files.onReplaced(() => this.forgetAll());
  }

  /**
   * Undefined as well for a certificate that is the proof of another credential.
   * @throws CredentialRefused for a forwarded certificate of anybody but a gateway, whatever else the request carries:
   * a proxy that does not strip the field lets its clients be whom they want (RFC 9440 s4).
   */
  find(request: FastifyRequest): string | undefined {
    const credential = this.credentialOf(request);
    return credential === undefined || this.isProof(credential, request) ? undefined : credential;
  }

  async authenticate(credential: string, request: FastifyRequest): Promise<Machine> {
    return this.machineOf(this.certificateOf(credential, request));
  }

  forget(revocation: Revocation): void {
    this.states.forget(revocation);
  }

  async present(machine: Machine): Promise<Machine | undefined> {
    const certificate = this.callers.get(machine);
    if (certificate === undefined) return undefined;
    try {
      return await this.machineOf(certificate);
    } catch (error) {
      if (error instanceof CredentialRefused) return undefined;
      throw error;
    }
  }

  private credentialOf(request: FastifyRequest): string | undefined {
    const shown = shownCertificate(request);
    const forwarded = forwardedField(request);
    if (shown === undefined || this.files.current.entryOf(shown) !== 'gateway') {
      if (forwarded !== undefined) throw new CredentialRefused('forwarded');
      return shown?.fingerprint;
    }
    this.assertGood(shown, request);
    return forwarded;
  }

  /** Is then kept for whoever looks at that credential. A certificate of a machine is never a proof besides. */
  private isProof(credential: string, request: FastifyRequest): boolean {
    if (!this.authenticators.takesCertificate(request)) return false;
    const certificate = this.certificateOf(credential, request);
    if (this.files.current.entryOf(certificate) !== undefined) return false;
    this.files.current.assertGood(certificate, this.clock.now());
    const running = requestContext();
    if (running !== undefined) running.certificate = certificate;
    return true;
  }

  /** Of the connection or, when the credential is what a gateway saw, that one. */
  private certificateOf(credential: string, request: FastifyRequest): ClientCertificate {
    const shown = shownCertificate(request);
    if (shown?.fingerprint !== credential) return this.parse(credential);
    this.assertGood(shown, request);
    return shown;
  }

  /** The reason first that can be told; what OpenSSL found then counts besides. */
  private assertGood(shown: ClientCertificate, request: FastifyRequest): void {
    this.files.current.assertGood(shown, this.clock.now());
    if (!isVerified(request)) throw new CredentialRefused('issuer');
  }

  private async machineOf(certificate: ClientCertificate): Promise<Machine> {
    const trust = this.files.current;
    trust.assertGood(certificate, this.clock.now());
    const entry = trust.entryOf(certificate);
    if (entry === undefined || entry === 'gateway') throw new CredentialRefused('unknown');
    const state = await this.states.find(entry.id);
    if (state === undefined) throw new CredentialRefused('revoked');
    const machine = Object.freeze({ ...state.principal });
    this.callers.set(machine, certificate);
    return machine;
  }

  private parse(field: string): ClientCertificate {
    const certificate = this.forwarded.get(field) ?? readClientCert(field);
    if (certificate === undefined) throw new CredentialRefused('malformed');
    this.forwarded.set(field, certificate);
    return certificate;
  }

  private async load(id: string): Promise<{ readonly principal: Machine } | undefined> {
    const machine = this.files.current.machines.find((one) => one.id === id);
    const roles = machine && (await this.owners.rolesOf(machine.owner));
    if (machine === undefined || roles === undefined) return undefined;
    const { owner: userId, id: machineId, scopes, tier } = machine;
    return { principal: { kind: 'machine', method: this.name, userId, machineId, scopes, tier, roles } };
  }

  private forgetAll(): void {
    this.states.forget('everyone');
    // Ends streams that were opened with what does not count any more.
    this.revocations
      .announce('everyone')
      .catch((error: unknown) => this.logger.error({ message: 'open streams could not be looked at', error }));
  }
}
