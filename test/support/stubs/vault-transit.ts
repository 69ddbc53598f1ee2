import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { createCa, issueLeaf } from '../../../src/security/transport/development-ca.js';
import { refuse, type Refusal } from './refusals.js';

interface TransitRequest {
  readonly plaintext?: string;
  readonly ciphertext?: string;
  readonly associated_data?: string;
}

/**
 * The transit engine of Vault, over its real protocol: HTTPS with a certificate of a CA of its own, the token in
 * `X-Vault-Token`, AES-256-GCM under key versions that stay here, `associated_data`, and Vault's own words in `errors`.
 */
export class VaultStub {
  refusal: Refusal | undefined;
  /** `encrypt data-keys`, refused ones too. */
  readonly operations: string[] = [];
  /** As Vault was before 1.13. */
  ignoresAssociatedData = false;
  readonly directory = mkdtempSync(join(tmpdir(), 'vault-stub-'));
  readonly tokenFile = join(this.directory, 'token');
  readonly caFile = join(this.directory, 'ca.crt');
  private token = '';
  private readonly keys = new Map<string, Buffer[]>([['data-keys', [randomBytes(32)]]]);

  private constructor(private readonly server: Server) {
    server.on('request', (request: IncomingMessage, response: ServerResponse) => void this.answer(request, response));
  }

  static async start(): Promise<VaultStub> {
    const ca = await createCa();
    const stub = new VaultStub(createServer(await issueLeaf(ca)));
    writeFileSync(stub.caFile, ca.cert);
    stub.renewToken();
    await new Promise<void>((resolve) => stub.server.listen(0, '127.0.0.1', resolve));
    return stub;
  }

  get address(): string {
    return `https://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** The old token ends; an agent writes the next one into the file, unless it is slow. */
  renewToken({ written = true } = {}): void {
    this.token = `hvs.${randomBytes(18).toString('base64url')}`;
    if (written) writeFileSync(this.tokenFile, `${this.token}\n`, { mode: 0o600 });
  }

  /** `vault write -f transit/keys/data-keys/rotate` */
  rotate(): void {
    this.keys.get('data-keys')?.push(randomBytes(32));
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
    rmSync(this.directory, { recursive: true, force: true });
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    const [, operation = '', name = ''] = /^\/v1\/transit\/(encrypt|decrypt)\/([\w-]+)$/.exec(request.url ?? '') ?? [];
    this.operations.push(`${operation} ${name}`);
    if (this.refusal !== undefined) return refuse(this.refusal, response);
    const answer = (status: number, answer: object) =>
      void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    const fault = (status: number, ...errors: string[]) => answer(status, { errors });
    if (request.headers['x-vault-token'] !== this.token) return fault(403, 'permission denied');
    if (request.method !== 'POST') return fault(405, 'unsupported operation');
    if (operation === '') return fault(404);
    const versions = this.keys.get(name);
    if (versions === undefined) return fault(400, 'encryption key not found');
    const parsed = JSON.parse(body) as TransitRequest;
    const associatedData = Buffer.from(this.ignoresAssociatedData ? '' : (parsed.associated_data ?? ''), 'base64');
    const [status, data] = (operation === 'encrypt' ? encrypt : decrypt)(versions, parsed, associatedData);
    return typeof data === 'string'
      ? fault(status, data)
      : answer(status, { request_id: randomBytes(8).toString('hex'), lease_id: '', renewable: false, data });
  }
}

type Outcome = readonly [status: number, data: string | Readonly<Record<string, string | number>>];

function encrypt(versions: readonly Buffer[], { plaintext = '' }: TransitRequest, associatedData: Buffer): Outcome {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', versions.at(-1) ?? '', nonce).setAAD(associatedData);
  const sealed = Buffer.concat([nonce, cipher.update(plaintext, 'base64'), cipher.final(), cipher.getAuthTag()]);
  return [200, { ciphertext: `vault:v${versions.length}:${sealed.toString('base64')}`, key_version: versions.length }];
}

function decrypt(versions: readonly Buffer[], { ciphertext = '' }: TransitRequest, associatedData: Buffer): Outcome {
  if (!ciphertext.startsWith('vault:v')) return [400, 'invalid ciphertext: no prefix'];
  const [version = '', base64] = ciphertext.slice('vault:v'.length).split(':');
  if (base64 === undefined) return [400, 'invalid ciphertext: wrong number of fields'];
  if (!/^\d+$/.test(version)) return [400, 'invalid ciphertext: version number could not be decoded'];
  const key = versions[(Number(version) || 1) - 1];
  if (key === undefined) return [400, 'invalid ciphertext: version is too new'];
  const sealed = Buffer.from(base64, 'base64');
  if (sealed.length < 28) return [400, 'invalid ciphertext length'];
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12), { authTagLength: 16 });
    decipher.setAAD(associatedData).setAuthTag(sealed.subarray(-16));
    return [
      200,
      { plaintext: Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()]).toString('base64') },
    ];
  } catch {
    return [400, 'cipher: message authentication failed'];
  }
}
