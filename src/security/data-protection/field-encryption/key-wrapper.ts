import { open, seal } from './aes-gcm.js';
import { dataKeyBytes, type KeyOwner } from './data-key.js';
import type { KeySource } from './key-source.js';
import { lengthPrefixed } from './length-prefixed.js';

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
