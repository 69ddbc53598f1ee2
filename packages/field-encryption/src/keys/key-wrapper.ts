import type { KeyObject } from 'node:crypto';
import { lengthPrefixed, open, seal } from '../cells/aes-gcm.js';
import { dataKeyBytes, type KeyOwner } from './data-key.js';

export interface NamedKey {
  readonly id: string;
  readonly key: KeyObject;
}

/** Where key-encryption keys and the blind-index keys come from: 256-bit secrets that never enter the database. */
export interface KeySource {
  active(purpose: string): NamedKey;
  find(purpose: string, id: string): KeyObject | undefined;
  /** The active key first, then the retired ones. */
  all(purpose: string): readonly NamedKey[];
}

/** Which data key is wrapped: bound to the wrapped bytes, so that they open nowhere else. */
export interface WrapContext extends KeyOwner {
  readonly dataKeyId: string;
}

export interface WrappedKey {
  /** The id of the key-encryption key. */
  readonly wrappingKey: string;
  readonly wrapped: string;
}

/** Whoever holds the key-encryption keys: the local key ring, a key management service, a vault. */
export interface KeyWrapper {
  /** Stored beside each wrapped key; never changes. */
  readonly name: string;
  wrap(secret: Buffer, context: WrapContext): Promise<WrappedKey>;
  /** The secret; undefined when the wrapped bytes are not this data key's, or the wrapping key is unknown. */
  unwrap(key: WrappedKey, context: WrapContext): Promise<Buffer | undefined>;
}

const wrapContext = ({ dataKeyId, purpose, subject }: WrapContext): Buffer =>
  lengthPrefixed(['wrap:v1', dataKeyId, purpose, subject]);

/** Wraps with the key-encryption keys of the key ring (AES-256-GCM): base64url of nonce, 32 bytes and tag. */
export class LocalKeyWrapper implements KeyWrapper {
  readonly name = 'local';

  constructor(private readonly keys: KeySource) {}

  async wrap(secret: Buffer, context: WrapContext): Promise<WrappedKey> {
    const { id, key } = this.keys.active(context.purpose);
    return { wrappingKey: id, wrapped: seal(key, wrapContext(context), secret).toString('base64url') };
  }

  async unwrap({ wrappingKey, wrapped }: WrappedKey, context: WrapContext): Promise<Buffer | undefined> {
    const key = this.keys.find(context.purpose, wrappingKey);
    const sealed = Buffer.from(wrapped, 'base64url');
    if (key === undefined || sealed.toString('base64url') !== wrapped) return undefined;
    const secret = open(key, wrapContext(context), sealed);
    return secret?.length === dataKeyBytes ? secret : undefined;
  }
}

/**
 * The bytes; undefined for text that is not the one base64 form of any bytes: one wrapped key has one spelling.
 * @public: every user of it can be removed.
 */
export function fromCanonicalBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.length > 0 && bytes.toString('base64') === text ? bytes : undefined;
}

/**
 * The key service did not answer, or not to us. That says nothing about the wrapped key: it is an outage, never a sign
 * of tampering, and nothing is opened or sealed meanwhile. @public: every user of it can be removed.
 */
export class KeyServiceUnavailable extends Error {
  override readonly name = 'KeyServiceUnavailable';
  /** What security/errors knows an outage of the key service by. */
  readonly code = 'KEY_SERVICE_UNAVAILABLE';

  // No cause: a client's error can hold a piece of the answer that it could not read, and the answer holds the data
  // key.
  constructor(service: string, reason: string) {
    super(
      `the key service ${service} does not do its work (${reason}): ` +
        'check that it runs, its address and what it allows us',
    );
  }
}

/**
 * `ECONNREFUSED`, `timeout`, `AccessDeniedException`: a word for the log, never a message of somebody else.
 * @public: every user of it can be removed.
 */
export function reasonOf(error: unknown): string {
  const { code, name } = error as { code?: unknown; name?: unknown };
  if (name === 'AbortError' || name === 'TimeoutError') return 'timeout';
  const word = [code, name].find((each) => typeof each === 'string' && /^\w{1,60}$/.test(each) && each !== 'Error');
  return typeof word === 'string' ? word : 'unknown reason';
}
