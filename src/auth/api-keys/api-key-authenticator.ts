import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { CredentialRefused } from '../../common/access/credential-refused.js';
import { MachineAuthenticators, type MachineAuthenticator } from '../../common/access/machine-authenticators.js';
import type { Machine } from '../../common/access/principal.js';
import type { Revocation } from '../../common/access/revocations.js';
import { Clock } from '../../common/clock.js';
import { requestContext } from '../../common/http/request-context.js';
import { Macs } from '../../common/macs.js';
import { CONFIG, type Config } from '../../config/index.js';
import { SharedState } from '../../shared-state/index.js';
import { RememberedStates } from '../authentication/remembered-states.js';
import { ApiKeyRepository, type KeyState } from './api-key.repository.js';
import { isSecretOf } from './api-key-seals.js';
import { ApiKeyUpkeep } from './api-key-upkeep.js';
import { keyFormatOf } from './api-keys.settings.js';
import { ExposedKeys } from './exposed-keys.js';

const bearer = /^bearer /i;

/** Who calls with an API key. Everything is asked at each request; the row is remembered as a session's is. */
@Injectable()
export class ApiKeyAuthenticator implements MachineAuthenticator, OnModuleInit {
  readonly name = 'api-key';
  readonly place = 'authorization';
  readonly scheme;
  private readonly format;
  private readonly states: RememberedStates<KeyState>;

  @Inject(ApiKeyUpkeep) private readonly upkeep: ApiKeyUpkeep;
  @Inject(ExposedKeys) private readonly exposed: ExposedKeys;
  @Inject(MachineAuthenticators) private readonly authenticators: MachineAuthenticators;

  constructor(
    @Inject(CONFIG) config: Config,
    repository: ApiKeyRepository,
    private readonly macs: Macs,
    private readonly clock: Clock,
    sharedState: SharedState,
  ) {
    this.format = keyFormatOf(config);
    this.states = new RememberedStates((id) => repository.findState(id), sharedState, clock);
    const description = `An API key: ${this.format.prefix}<id>_<secret><checksum>. In this header only.`;
    this.scheme = { type: 'http', scheme: 'bearer', bearerFormat: 'API key', description } as const;
  }

  onModuleInit(): void {
    this.authenticators.register(this);
  }

  /** @throws CredentialRefused for a key in the address, which logs and histories keep (ASVS v5.0.0-14.2.1). */
  find(request: FastifyRequest): string | undefined {
    if (this.exposed.isIn(request)) throw new CredentialRefused('misplaced');
    const header = request.headers.authorization ?? '';
    const text = header.replace(bearer, '');
    return text !== header && text.startsWith(this.format.prefix) ? text : undefined;
  }

  async authenticate(text: string): Promise<Machine> {
    // Before anything else: whoever tries texts costs no query by those that are no keys.
    const key = this.format.read(text);
    if (key === undefined) throw new CredentialRefused('malformed');
    const state = await this.states.find(key.id);
    if (state === undefined) throw new CredentialRefused('revoked');
    const { principal, secretMac, expiresAt, isAllowedFrom } = state;
    if (!isSecretOf(this.macs, { id: key.id, secretMac }, key.secret)) throw new CredentialRefused('unknown');
    if (expiresAt <= this.clock.now()) throw new CredentialRefused('expired');
    if (!isAllowedFrom(requestContext()?.address ?? '')) throw new CredentialRefused('network');
    this.upkeep.noteUse(key.id);
    return principal;
  }

  async present({ machineId }: Machine): Promise<Machine | undefined> {
    const state = await this.states.find(machineId);
    return state !== undefined && state.expiresAt > this.clock.now() ? state.principal : undefined;
  }

  forget(revocation: Revocation): void {
    this.states.forget(revocation);
  }
}
