import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import { KeyServiceUnavailable, reasonOf } from './key-service-unavailable.js';

export interface VaultSettings {
  /** An origin: https, or http on this machine (a Vault agent). */
  readonly address: string;
  /** Holds the token, and nothing else; whoever renews the token writes it there. */
  readonly tokenFile: string;
  /** PEM of the CA that signs the server's certificate. Not set: the CAs of Node. */
  readonly caFile: string | undefined;
}

export interface VaultAnswer {
  readonly status: number;
  readonly text: string;
}

const attempts = 3;
const attemptMilliseconds = 2_000;
const largestAnswer = 64 * 1024;
/** The status of no answer. */
const none = 0;
const worthAnotherTry = (status: number): boolean => status === none || status === 403 || status === 429 || status >= 500;

/** Posts to Vault. Redirects are answers like any other: a token never follows them. */
export class VaultClient {
  private token: string | undefined;
  private readonly agent: http.Agent;

  private constructor(
    readonly serviceName: string,
    private readonly settings: VaultSettings,
    ca: string | undefined,
  ) {
    const options = { keepAlive: true, maxSockets: 16 };
    // rejectUnauthorized said aloud: otherwise NODE_TLS_REJECT_UNAUTHORIZED could switch it off.
    this.agent = settings.address.startsWith('https:')
      ? new https.Agent({ ...options, ca, rejectUnauthorized: true, minVersion: 'TLSv1.2' })
      : new http.Agent(options);
  }

  /** @throws Error with the fix when the CA file cannot be read. */
  static async open(serviceName: string, settings: VaultSettings): Promise<VaultClient> {
    const { caFile } = settings;
    const ca = caFile && (await readFile(caFile, 'utf8').catch((error) => fail(`VAULT_CA_FILE cannot be read (${reasonOf(error)})`)));
    return new VaultClient(serviceName, settings, ca);
  }

  /**
   * Tries again after a fault of network or server, and with the token read again when it was refused.
   * @throws KeyServiceUnavailable
   */
  async post(path: string, body: object): Promise<VaultAnswer> {
    for (let attempt = 1; ; attempt += 1) {
      this.token ??= await this.readToken();
      const answer = await this.attempt(path, body, this.token).catch((error: unknown) => ({ status: none, text: reasonOf(error) }));
      if (!worthAnotherTry(answer.status)) return answer;
      if (answer.status === 403) this.token = undefined;
      if (attempt === attempts) this.refuse(answer.status === none ? answer.text : `HTTP ${answer.status}`);
      await delay(50 * attempt);
    }
  }

  refuse(reason: string): never {
    throw new KeyServiceUnavailable(this.serviceName, reason);
  }

  private async attempt(path: string, body: object, token: string): Promise<VaultAnswer> {
    const { address } = this.settings;
    const request = (address.startsWith('https:') ? https : http).request(new URL(path, address), {
      method: 'POST',
      agent: this.agent,
      signal: AbortSignal.timeout(attemptMilliseconds),
      headers: { 'x-vault-token': token, 'x-vault-request': 'true', 'content-type': 'application/json' },
    });
    // `once` listens until the response is there; an error after it arrives at the reader of the response.
    request.on('error', () => undefined).end(JSON.stringify(body));
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    return { status: response.statusCode ?? 0, text: await readBounded(response) };
  }

  private async readToken(): Promise<string> {
    const text = await readFile(this.settings.tokenFile, 'utf8').catch((error) => this.refuse(`VAULT_TOKEN_FILE: ${reasonOf(error)}`));
    const token = text.trim();
    return /^[\x21-\x7e]{1,4096}$/.test(token) ? token : this.refuse('VAULT_TOKEN_FILE holds no token');
  }
}

async function readBounded(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > largestAnswer) throw new RangeError('the answer is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function fail(message: string): never {
  throw new Error(`${message}: mend the file, or set another one`);
}
