import { randomUUIDv7 } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TrustFiles } from '../../../src/auth/mtls/trust-files.js';
import { CertificateReload } from '../../../src/security/transport/certificate-reload.js';
import { Logger, type Type } from '@nestjs/common';
import { vi } from 'vitest';
import { signUp, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { SamplesModule } from '../../support/sample/samples.module.js';
import { createSample } from '../../support/sample/samples.js';
import { ClientAuthority, dns, uri, type ClientPair } from './client-authority.js';

export const machineUri = 'spiffe://example.org/lab/analyser';
export const gatewayName = 'gateway.internal';
const used = 'new files of machines, CAs and revocations are in use';
/** By the listener, which asks at the handshake. */
const served = 'a new certificate is served';
const refused = 'new files of machines, CAs or revocations cannot be used; the old ones stay';

function listen(): string[] {
  const said: string[] = [];
  for (const level of ['log', 'error'] as const) {
    const write = Logger.prototype[level];
    vi.spyOn(Logger.prototype, level).mockImplementation(function (this: Logger, ...told: [unknown]) {
      const [line] = told as unknown[];
      said.push(typeof line === 'string' ? line : String((line as { message?: unknown }).message));
      write.apply(this, told);
    });
  }
  return said;
}

/** A service that asks for client certificates, with a machine of Alice's and a gateway. */
export class MtlsApp {
  readonly machineId = randomUUIDv7();
  readonly authority: ClientAuthority;
  readonly machine: ClientPair;
  readonly gateway: ClientPair;
  /** Every message to whichever log there is. */
  readonly said: readonly string[];

  private constructor(
    readonly app: TestApp,
    private readonly directory: string,
    readonly alice: Actor,
    /** Of Alice, for whoever gets in as her machine. */
    readonly path: string,
    issued: Pick<MtlsApp, 'authority' | 'machine' | 'gateway' | 'said'>,
  ) {
    this.authority = issued.authority;
    this.machine = issued.machine;
    this.gateway = issued.gateway;
    this.said = issued.said;
  }

  static async start({ withList = false, modules = [] as Type[] } = {}): Promise<MtlsApp> {
    const directory = mkdtempSync(join(tmpdir(), 'mtls-'));
    const authority = await ClientAuthority.create('CN=Clients of the tests');
    const file = (name: string, text: string): string => {
      writeFileSync(join(directory, name), text);
      return join(directory, name);
    };
    TrustFiles.interval = 25;
    CertificateReload.interval = 25;
    const said = listen();
    const app = await startApp({
      modules: [SamplesModule, ...modules],
      broken: '/v1/events',
      env: {
        MTLS_CA_FILE: file('ca.crt', authority.pem),
        MTLS_MACHINES_FILE: file('machines.json', '{}'),
        ...(withList && { MTLS_CRL_FILE: file('ca.crl', await authority.list()) }),
      },
    });
    const alice = await signUp(app, 'alice');
    const path = `/v1/samples/${(await createSample(app, alice)).id}`;
    const machine = await authority.issue({ names: [uri(machineUri)] });
    const gateway = await authority.issue({ names: [dns(gatewayName)] });
    const started = new MtlsApp(app, directory, alice, path, { authority, machine, gateway, said });
    await started.map();
    return started;
  }

  entry(changes: Record<string, unknown> = {}): Record<string, unknown> {
    const { machineId: id, alice } = this;
    return { id, owner: alice.userId, certificate: { uri: machineUri }, scopes: ['sample:read'], ...changes };
  }

  /** The mapping, in use on every instance when this returns. */
  map(...machines: Record<string, unknown>[]): Promise<void> {
    const all = machines.length === 0 ? [this.entry()] : machines;
    return this.replace({
      'machines.json': JSON.stringify({ machines: all, gateways: [{ dns: gatewayName }] }),
    });
  }

  /** @param isRefused the files are no good, and what was in use stays. */
  async replace(files: Readonly<Record<string, string>>, isRefused = false): Promise<void> {
    const messages = [isRefused ? refused : used, ...('ca.crt' in files ? [served] : [])];
    const count = (message: string) => this.said.filter((each) => each === message).length;
    const enough = messages.map((message) => count(message) + this.app.instances.length);
    const isDone = () => messages.every((message, index) => count(message) >= (enough[index] ?? 0));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(this.directory, name), text);
    for (let attempt = 0; attempt < 400 && !isDone(); attempt++)
      await new Promise((resolve) => setTimeout(resolve, 25));
    if (!isDone()) throw new Error(`nobody said: ${messages.join(', ')}`);
  }

  /** The newest refusal of a credential has that reason. */
  async refusal(reason: string): Promise<void> {
    await this.app.auditEvent('authn_token_fail', ({ details }) => (details as { reason?: string }).reason === reason);
  }

  async close(): Promise<void> {
    TrustFiles.interval = 5_000;
    CertificateReload.interval = 5_000;
    vi.restoreAllMocks();
    await this.app.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
