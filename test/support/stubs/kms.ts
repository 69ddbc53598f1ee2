import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  randomBytes,
  randomUUID,
  timingSafeEqual,
} from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { refuse, type Refusal } from './refusals.js';

interface KmsRequest {
  readonly KeyId?: string;
  readonly Plaintext?: string;
  readonly CiphertextBlob?: string;
  readonly EncryptionContext?: Readonly<Record<string, string>>;
}

const region = 'eu-central-1';
const credentials = { accessKeyId: 'AKIAEXAMPLEEXAMPLE00', secretAccessKey: randomBytes(30).toString('base64') };

/** What the SDK's standard chain reads. */
export const kmsCredentials = {
  AWS_ACCESS_KEY_ID: credentials.accessKeyId,
  AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
};

/**
 * The part of AWS KMS that wraps keys, over its real protocol: JSON 1.1 by POST, `X-Amz-Target`, requests signed with
 * Signature Version 4 (checked), AES-256-GCM under a key that stays here, the encryption context as associated data,
 * errors as `__type`.
 */
export class KmsStub {
  /** Done instead of the work, until it is undefined again. */
  refusal: Refusal | undefined;
  /** Operations asked for, refused ones too. */
  readonly operations: string[] = [];
  private readonly keys = new Map<string, Buffer>();
  private readonly server = createServer((request, response) => void this.answer(request, response));

  static async start(): Promise<KmsStub> {
    const stub = new KmsStub();
    await new Promise<void>((resolve) => stub.server.listen(0, '127.0.0.1', resolve));
    return stub;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** @returns the ARN of a new key. */
  makeKey(): string {
    const arn = `arn:aws:kms:${region}:111122223333:key/${randomUUID()}`;
    this.keys.set(arn, randomBytes(32));
    return arn;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    const operation = String(request.headers['x-amz-target']);
    this.operations.push(operation);
    if (this.refusal !== undefined) return refuse(this.refusal, response);
    const answer = (status: number, answer: object) =>
      void response
        .writeHead(status, { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': randomUUID() })
        .end(JSON.stringify(answer));
    if (!isSigned(request, body))
      return answer(400, { __type: 'InvalidSignatureException', message: 'the signature does not match' });
    if (request.headers['content-type'] !== 'application/x-amz-json-1.1')
      return answer(400, { __type: 'SerializationException' });
    const fault = (type: string) => answer(400, { __type: type });
    const parsed = JSON.parse(body) as KmsRequest;
    if (operation === 'TrentService.Encrypt') return this.encrypt(parsed, answer, fault);
    if (operation === 'TrentService.Decrypt') return this.decrypt(parsed, answer, fault);
    return fault('UnknownOperationException');
  }

  private encrypt({ KeyId = '', Plaintext = '', EncryptionContext }: KmsRequest, say: Say, fault: Fault): void {
    const key = this.keys.get(KeyId);
    if (key === undefined) return fault('NotFoundException');
    const nonce = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(associatedData(EncryptionContext));
    const sealed = Buffer.concat([cipher.update(Plaintext, 'base64'), cipher.final()]);
    // Like a real one, the blob names its key.
    const name = Buffer.from(KeyId);
    const blob = Buffer.concat([Buffer.of(name.length), name, nonce, sealed, cipher.getAuthTag()]);
    say(200, { KeyId, CiphertextBlob: blob.toString('base64'), EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' });
  }

  private decrypt({ KeyId, CiphertextBlob = '', EncryptionContext }: KmsRequest, say: Say, fault: Fault): void {
    const blob = Buffer.from(CiphertextBlob, 'base64');
    const nameEnd = 1 + (blob[0] ?? 0);
    const name = blob.subarray(1, nameEnd).toString();
    const key = this.keys.get(name);
    if (key === undefined || blob.length < nameEnd + 28) return fault('InvalidCiphertextException');
    if (KeyId !== undefined && KeyId !== name) return fault('IncorrectKeyException');
    try {
      const decipher = createDecipheriv('aes-256-gcm', key, blob.subarray(nameEnd, nameEnd + 12), {
        authTagLength: 16,
      });
      decipher.setAAD(associatedData(EncryptionContext)).setAuthTag(blob.subarray(-16));
      const plain = Buffer.concat([decipher.update(blob.subarray(nameEnd + 12, -16)), decipher.final()]);
      say(200, { KeyId: name, Plaintext: plain.toString('base64'), EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' });
    } catch {
      fault('InvalidCiphertextException');
    }
  }
}

type Say = (status: number, answer: object) => void;
type Fault = (type: string) => void;

const associatedData = (context: Readonly<Record<string, string>> = {}): Buffer =>
  Buffer.from(JSON.stringify(Object.entries(context).toSorted(([one], [other]) => (one < other ? -1 : 1))));

const hmac = (key: string | Buffer, data: string): Buffer => createHmac('sha256', key).update(data).digest();
const sha256 = (data: string): string => createHash('sha256').update(data).digest('hex');

/** Signature Version 4 of a POST to `/` without query. */
function isSigned({ method, url, headers }: IncomingMessage, body: string): boolean {
  const [, scope = '', names = '', signature = ''] =
    /^AWS4-HMAC-SHA256 Credential=[A-Z0-9]+\/([^,]+), SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/.exec(
      headers.authorization ?? '',
    ) ?? [];
  const [date = '', ...rest] = scope.split('/');
  if (method !== 'POST' || url !== '/' || rest.join('/') !== `${region}/kms/aws4_request`) return false;
  if (!['host', 'x-amz-date', 'x-amz-target'].every((name) => names.split(';').includes(name))) return false;
  const lines = names.split(';').map((name) => `${name}:${String(headers[name]).trim()}\n`);
  const canonical = ['POST', '/', '', lines.join(''), names, sha256(body)].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', headers['x-amz-date'], scope, sha256(canonical)].join('\n');
  const key = [date, ...rest].reduce<string | Buffer>(hmac, `AWS4${credentials.secretAccessKey}`);
  return timingSafeEqual(hmac(key, toSign), Buffer.from(signature, 'hex'));
}
