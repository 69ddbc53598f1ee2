import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import { dataKeyBytes } from '../keys/data-key.js';
import {
  fromCanonicalBase64,
  KeyServiceUnavailable,
  type KeyWrapper,
  reasonOf,
  type WrapContext,
  type WrappedKey,
} from '../keys/key-wrapper.js';
import { lengthPrefixed } from '../cells/aes-gcm.js';

export interface VaultTransitSettings extends VaultSettings {
  readonly mount: string;
  /** A key of the type aes256-gcm96, not derived. */
  readonly key: string;
}

/** Wraps with a key that never leaves Vault's (or OpenBao's) transit engine. The context is its `associated_data`. */
export class VaultTransitWrapper implements KeyWrapper {
  readonly name = 'vault-transit';
  private binds = false;

  private constructor(
    private readonly vault: VaultClient,
    private readonly mount: string,
    private readonly key: string,
  ) {}

  /** @throws Error with the fix when the CA file cannot be read. */
  static async open(settings: VaultTransitSettings): Promise<VaultTransitWrapper> {
    return new VaultTransitWrapper(await VaultClient.open('vault-transit', settings), settings.mount, settings.key);
  }

  async wrap(secret: Buffer, context: WrapContext): Promise<WrappedKey> {
    const answer = await this.call('encrypt', {
      plaintext: secret.toString('base64'),
      associated_data: associatedData(context),
    });
    const wrapped = answer.status === 200 ? field(answer, 'ciphertext') : undefined;
    if (wrapped === undefined || ciphertextOf(wrapped) === undefined)
      return this.vault.throwRefused(`encrypt: HTTP ${answer.status}`);
    const wrappedKey = { wrappingKey: this.wrappingKey, wrapped };
    await this.proveBinding(wrappedKey, context);
    return wrappedKey;
  }

  async unwrap({ wrappingKey, wrapped }: WrappedKey, context: WrapContext): Promise<Buffer | undefined> {
    if (wrappingKey !== this.wrappingKey || ciphertextOf(wrapped) === undefined) return undefined;
    const answer = await this.call('decrypt', { ciphertext: wrapped, associated_data: associatedData(context) });
    // 400: the ciphertext is broken or has another context. But a key that is not there is our own configuration, or
    // theirs.
    if (answer.status === 400 && !answer.text.includes('key not found')) return undefined;
    const plain = answer.status === 200 ? field(answer, 'plaintext') : undefined;
    if (plain === undefined) return this.vault.throwRefused(`decrypt: HTTP ${answer.status}`);
    const secret = fromCanonicalBase64(plain);
    return secret?.length === dataKeyBytes ? secret : undefined;
  }

  /**
   * Vault before 1.13 drops `associated_data` without a word: every wrapped key would open as anybody's. Asked once.
   */
  private async proveBinding(wrappedKey: WrappedKey, context: WrapContext): Promise<void> {
    if (this.binds) return;
    const opened = await this.unwrap(wrappedKey, { ...context, subject: `not ${context.subject}` });
    if (opened !== undefined) this.vault.throwRefused('it ignores associated_data: Vault 1.13 or OpenBao is needed');
    this.binds = true;
  }

  private get wrappingKey(): string {
    return `${this.mount}/${this.key}`;
  }

  private call(operation: 'encrypt' | 'decrypt', body: object): Promise<VaultAnswer> {
    return this.vault.post(`/v1/${this.mount}/${operation}/${this.key}`, body);
  }
}

const associatedData = ({ dataKeyId, purpose, subject }: WrapContext): string =>
  lengthPrefixed(['wrap:v1', dataKeyId, purpose, subject]).toString('base64');

/** `vault:v<version>:<base64>`; Vault itself reads more than that, such as version 0 for 1. */
function ciphertextOf(wrapped: string): Buffer | undefined {
  const [, base64] = /^vault:v[1-9]\d{0,8}:([A-Za-z0-9+/=]{1,1024})$/.exec(wrapped) ?? [];
  return base64 === undefined ? undefined : fromCanonicalBase64(base64);
}

/** A text of the answer's `data`; undefined when the answer is not what Vault says. */
function field({ text }: VaultAnswer, name: string): string | undefined {
  try {
    const value = (JSON.parse(text) as { data?: Record<string, unknown> }).data?.[name];
    return typeof value === 'string' ? value : undefined;
  } catch {
    // JSON's own message quotes the text, which holds the data key.
    return undefined;
  }
}

export interface VaultSettings {
  /** An origin: https, or http on this machine (a Vault agent). */
  readonly address: string;
  /** Holds the token, and nothing else; whoever renews the token writes it there. */
  readonly tokenFile: string;
  /** PEM of the CA that signs the server's certificate. Not set: the CAs of Node. */
  readonly caFile: string | undefined;
  /** The HTTP client of the application, which then also knows the CA. Not set: the one of this file. */
  readonly send?: VaultSend;
}

/** Posts, within those bounds, and follows no redirect: a token never goes where nobody sent it. */
export type VaultSend = (
  url: string,
  request: {
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
    readonly milliseconds: number;
    readonly bytes: number;
  },
) => Promise<VaultAnswer>;

export interface VaultAnswer {
  readonly status: number;
  readonly text: string;
}

const attempts = 3;
const attemptMs = 2_000;
const maxAnswerBytes = 64 * 1024;
/** The status of no answer. */
const none = 0;
const worthAnotherTry = (status: number): boolean =>
  status === none || status === 403 || status === 429 || status >= 500;

/** Posts to Vault. Redirects are answers like any other: a token never follows them. */
export class VaultClient {
  private token: string | undefined;

  private constructor(
    readonly serviceName: string,
    private readonly settings: VaultSettings,
    private readonly send: VaultSend,
  ) {}

  /** @throws Error with the fix when the CA file cannot be read. */
  static async open(serviceName: string, settings: VaultSettings): Promise<VaultClient> {
    const { caFile, send } = settings;
    if (send !== undefined) return new VaultClient(serviceName, settings, send);
    const ca =
      caFile &&
      (await readFile(caFile, 'utf8').catch((error) => fail(`VAULT_CA_FILE cannot be read (${reasonOf(error)})`)));
    return new VaultClient(serviceName, settings, ownSend(settings.address, ca));
  }

  /**
   * Tries again after a fault of network or server, and with the token read again when it was refused.
   * @throws KeyServiceUnavailable
   */
  async post(path: string, body: object): Promise<VaultAnswer> {
    for (let attempt = 1; ; attempt += 1) {
      this.token ??= await this.readToken();
      const answer = await this.attempt(path, body, this.token).catch((error: unknown) => ({
        status: none,
        text: reasonOf(error),
      }));
      if (!worthAnotherTry(answer.status)) return answer;
      if (answer.status === 403) this.token = undefined;
      if (attempt === attempts) this.throwRefused(answer.status === none ? answer.text : `HTTP ${answer.status}`);
      await delay(50 * attempt);
    }
  }

  throwRefused(reason: string): never {
    throw new KeyServiceUnavailable(this.serviceName, reason);
  }

  private attempt(path: string, body: object, token: string): Promise<VaultAnswer> {
    return this.send(new URL(path, this.settings.address).href, {
      headers: { 'x-vault-token': token, 'x-vault-request': 'true', 'content-type': 'application/json' },
      body: JSON.stringify(body),
      milliseconds: attemptMs,
      bytes: maxAnswerBytes,
    });
  }

  private async readToken(): Promise<string> {
    const text = await readFile(this.settings.tokenFile, 'utf8').catch((error) =>
      this.throwRefused(`VAULT_TOKEN_FILE: ${reasonOf(error)}`),
    );
    const token = text.trim();
    return /^[\x21-\x7e]{1,4096}$/.test(token) ? token : this.throwRefused('VAULT_TOKEN_FILE holds no token');
  }
}

/** For applications without an HTTP client of their own. */
function ownSend(address: string, ca: string | undefined): VaultSend {
  const options = { keepAlive: true, maxSockets: 16 };
  const { request, agent } = address.startsWith('https:')
    ? // rejectUnauthorized said aloud: otherwise NODE_TLS_REJECT_UNAUTHORIZED could switch it off.
      { ...https, agent: new https.Agent({ ...options, ca, rejectUnauthorized: true, minVersion: 'TLSv1.2' }) }
    : { ...http, agent: new http.Agent(options) };
  return async (url, { headers, body, milliseconds, bytes }) => {
    const outgoing = request(url, { method: 'POST', agent, signal: AbortSignal.timeout(milliseconds), headers });
    // `once` listens until the response is there; an error after it arrives at the reader of the response.
    outgoing.on('error', () => undefined).end(body);
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    return { status: response.statusCode ?? 0, text: await readBounded(response, bytes) };
  };
}

async function readBounded(response: IncomingMessage, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) throw new RangeError('the answer is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function fail(message: string): never {
  throw new Error(`${message}: mend the file, or set another one`);
}
