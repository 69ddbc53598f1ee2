import { dataKeyBytes } from '../field-encryption/data-key.js';
import type { KeyWrapper, WrapContext, WrappedKey } from '../field-encryption/key-wrapper.js';
import { lengthPrefixed } from '../field-encryption/length-prefixed.js';
import { fromCanonicalBase64 } from './canonical-base64.js';
import { VaultClient, type VaultAnswer, type VaultSettings } from './vault-client.js';

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
    const answer = await this.call('encrypt', { plaintext: secret.toString('base64'), associated_data: associatedData(context) });
    const wrapped = answer.status === 200 ? field(answer, 'ciphertext') : undefined;
    if (wrapped === undefined || ciphertextOf(wrapped) === undefined) return this.vault.refuse(`encrypt: HTTP ${answer.status}`);
    const wrappedKey = { wrappingKey: this.wrappingKey, wrapped };
    await this.proveBinding(wrappedKey, context);
    return wrappedKey;
  }

  async unwrap({ wrappingKey, wrapped }: WrappedKey, context: WrapContext): Promise<Buffer | undefined> {
    if (wrappingKey !== this.wrappingKey || ciphertextOf(wrapped) === undefined) return undefined;
    const answer = await this.call('decrypt', { ciphertext: wrapped, associated_data: associatedData(context) });
    // 400: the ciphertext is broken or has another context. But a key that is not there is our own configuration, or theirs.
    if (answer.status === 400 && !answer.text.includes('key not found')) return undefined;
    const plain = answer.status === 200 ? field(answer, 'plaintext') : undefined;
    if (plain === undefined) return this.vault.refuse(`decrypt: HTTP ${answer.status}`);
    const secret = fromCanonicalBase64(plain);
    return secret?.length === dataKeyBytes ? secret : undefined;
  }

  /** Vault before 1.13 drops `associated_data` without a word: every wrapped key would open as anybody's. Asked once. */
  private async proveBinding(wrappedKey: WrappedKey, context: WrapContext): Promise<void> {
    if (this.binds) return;
    const opened = await this.unwrap(wrappedKey, { ...context, subject: `not ${context.subject}` });
    if (opened !== undefined) this.vault.refuse('it ignores associated_data: Vault 1.13 or OpenBao is needed');
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
