import type { KMS, KMSClientConfig } from '@aws-sdk/client-kms';
import { dataKeyBytes } from '../keys/data-key.js';
import {
  fromCanonicalBase64,
  KeyServiceUnavailable,
  type KeyWrapper,
  reasonOf,
  type WrapContext,
  type WrappedKey,
} from '../keys/key-wrapper.js';

export interface AwsKmsSettings {
  /** ARNs of symmetric keys in one region: the first wraps, all unwrap. */
  readonly keyArns: readonly string[];
  /** Not set: the public endpoint of the region. */
  readonly endpoint: string | undefined;
  /** The HTTP client of the SDK. Not set: the SDK's own. */
  readonly requestHandler?: KMSClientConfig['requestHandler'];
}

type LoadSdk = () => Promise<{ readonly KMS: new (config: KMSClientConfig) => KMS }>;

const serviceName = 'aws-kms';
/** The most that Decrypt takes (AWS KMS API Reference, Decrypt). */
const maxCiphertextBytes = 6144;
/** What KMS says of a ciphertext that is broken, or of another encryption context or key. All else is an outage. */
const broken = new Set(['InvalidCiphertextException', 'IncorrectKeyException']);

/**
 * Wraps with a key that never leaves AWS KMS. The context is KMS's encryption context: authenticated, and in the clear
 * in CloudTrail. Credentials come from the standard chain of AWS.
 */
export class AwsKmsWrapper implements KeyWrapper {
  readonly name = serviceName;

  private constructor(
    private readonly kms: KMS,
    private readonly keyArns: readonly string[],
  ) {}

  /**
   * Loads the SDK, which only this wrapper needs.
   * @throws Error with the fix when the SDK is not installed.
   */
  static async open(
    settings: AwsKmsSettings,
    load: LoadSdk = () => import('@aws-sdk/client-kms'),
  ): Promise<AwsKmsWrapper> {
    try {
      const sdk = await load();
      return new AwsKmsWrapper(new sdk.KMS(clientConfig(settings)), settings.keyArns);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
      throw new Error('AWS_KMS_KEY_ID needs the package @aws-sdk/client-kms: run npm ci without --omit=optional', {
        cause: error,
      });
    }
  }

  async wrap(secret: Buffer, context: WrapContext): Promise<WrappedKey> {
    const [wrappingKey] = this.keyArns;
    const request = { KeyId: wrappingKey, Plaintext: secret, EncryptionContext: encryptionContext(context) };
    const { CiphertextBlob: blob, KeyId: used } = await this.kms.encrypt(request, bounded()).catch(unavailable);
    if (blob === undefined || wrappingKey === undefined || used !== wrappingKey) {
      throw new KeyServiceUnavailable(serviceName, 'another key has answered');
    }
    return { wrappingKey, wrapped: Buffer.from(blob).toString('base64') };
  }

  async unwrap({ wrappingKey, wrapped }: WrappedKey, context: WrapContext): Promise<Buffer | undefined> {
    const CiphertextBlob = fromCanonicalBase64(wrapped);
    if (CiphertextBlob === undefined || CiphertextBlob.length > maxCiphertextBytes) return undefined;
    // The table may name only our keys: a writer of the database would name their own, which anybody may be allowed to
    // use.
    if (!this.keyArns.includes(wrappingKey)) return undefined;
    const request = { KeyId: wrappingKey, CiphertextBlob, EncryptionContext: encryptionContext(context) };
    const { Plaintext: plain } = await this.kms.decrypt(request, bounded()).catch(brokenOrUnavailable);
    return plain?.length === dataKeyBytes ? Buffer.from(plain.buffer, plain.byteOffset, plain.length) : undefined;
  }
}

function clientConfig({ keyArns, endpoint, requestHandler }: AwsKmsSettings): KMSClientConfig {
  return {
    region: keyArns[0]?.split(':')[3],
    endpoint,
    maxAttempts: 3,
    // Without throwOnRequestTimeout the SDK only warns, and waits on.
    requestHandler: requestHandler ?? {
      connectionTimeout: 1_000,
      requestTimeout: 2_000,
      throwOnRequestTimeout: true,
    },
  };
}

/** For all attempts together: a transaction of the database waits meanwhile, and gives up after 10 s. */
const bounded = () => ({ abortSignal: AbortSignal.timeout(6_000) });

const encryptionContext = ({ dataKeyId, purpose, subject }: WrapContext) => ({ dataKeyId, purpose, subject });

function unavailable(error: unknown): never {
  throw new KeyServiceUnavailable(serviceName, reasonOf(error));
}

const brokenOrUnavailable = (error: unknown): { Plaintext?: undefined } =>
  broken.has(reasonOf(error)) ? {} : unavailable(error);
