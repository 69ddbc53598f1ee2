import { createHash, createSign, generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto';
import { BasicConstraintsExtension, X509CertificateGenerator } from '@peculiar/x509';

// A security key in software: what an authenticator and a browser do between the options and the answer, with a knob
// for each lie.

type Cbor = number | string | Buffer | readonly Cbor[] | ReadonlyMap<number | string, Cbor>;

/** Head of a CBOR item: major type and argument (RFC 8949 s3). */
function head(major: number, value: number): Buffer {
  if (value < 24) return Buffer.from([(major << 5) | value]);
  if (value < 0x100) return Buffer.from([(major << 5) | 24, value]);
  return Buffer.from([(major << 5) | 25, value >> 8, value & 0xff]);
}

function cbor(value: Cbor): Buffer {
  if (typeof value === 'number') return value < 0 ? head(1, -1 - value) : head(0, value);
  if (typeof value === 'string') return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)]);
  if (Buffer.isBuffer(value)) return Buffer.concat([head(2, value.length), value]);
  if (isList(value)) return Buffer.concat([head(4, value.length), ...value.map(cbor)]);
  return Buffer.concat([head(5, value.size), ...[...value].flatMap(([key, item]) => [cbor(key), cbor(item)])]);
}

const isList = (value: Cbor): value is readonly Cbor[] => Array.isArray(value);
const sha256 = (data: Buffer | string): Buffer => createHash('sha256').update(data).digest();
const base64url = (data: Buffer | string): string => Buffer.from(data).toString('base64url');

/** What an honest authenticator and browser would not do. */
export interface Lies {
  readonly userVerified?: boolean;
  readonly userPresent?: boolean;
  readonly rpId?: string;
  readonly origin?: string;
  readonly challenge?: string;
  readonly type?: string;
  readonly crossOrigin?: boolean;
  /** The count in the authenticator data, instead of the next one. */
  readonly counter?: number;
  /** Turns one bit of the signature. */
  readonly flipSignature?: boolean;
  readonly userHandle?: string;
  /** The credential that the answer names. */
  readonly id?: string;
  /** Members of the attestation object instead of `none` and an empty statement. */
  readonly format?: string;
  readonly statement?: ReadonlyMap<string, Cbor>;
  /** The new key signs its own registration: no lie, but rare. */
  readonly selfAttested?: boolean;
  /** DER: the registration is signed by the key of this certificate. See `certificate()`. */
  readonly certificate?: Buffer;
  /** COSE algorithm of the new key. */
  readonly algorithm?: number;
}

interface CreationOptions {
  readonly challenge: string;
  readonly rp: { readonly id: string };
  readonly user: { readonly id: string };
}

interface RequestOptions {
  readonly challenge: string;
  readonly rpId: string;
}

const flag = { present: 0x01, verified: 0x04, attested: 0x40 } as const;

/** One passkey of P-256 on one device. `countless`: like the passkeys of password managers, it always says 0. */
export class Authenticator {
  readonly id = base64url(randomBytes(32));
  private readonly privateKey: KeyObject;
  private readonly publicKey: KeyObject;
  private counter = 0;
  private userHandle = '';

  constructor(
    readonly origin: string,
    private readonly countless = false,
  ) {
    ({ privateKey: this.privateKey, publicKey: this.publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' }));
  }

  /** `navigator.credentials.create()` */
  create({ challenge, rp, user }: CreationOptions, lies: Lies = {}) {
    this.userHandle = user.id;
    const id = Buffer.from(this.id, 'base64url');
    const length = Buffer.from([id.length >> 8, id.length & 0xff]);
    const data = Buffer.concat([
      this.authenticatorData(rp.id, flag.attested, lies),
      Buffer.alloc(16),
      length,
      id,
      this.coseKey(lies),
    ]);
    const clientData = this.clientData('webauthn.create', challenge, lies);
    const own = this.packedStatement(this.sign(data, clientData), lies);
    const object = new Map<string, Cbor>([
      ['fmt', lies.format ?? (own === undefined ? 'none' : 'packed')],
      ['attStmt', lies.statement ?? own ?? new Map()],
      ['authData', data],
    ]);
    const response = {
      clientDataJSON: base64url(clientData),
      attestationObject: base64url(cbor(object)),
      authenticatorData: base64url(data),
      transports: ['internal'],
      publicKeyAlgorithm: -7,
    };
    return { ...this.frame(lies), response };
  }

  /** `navigator.credentials.get()` */
  get({ challenge, rpId }: RequestOptions, lies: Lies = {}) {
    const data = this.authenticatorData(rpId, 0, lies);
    const clientData = this.clientData('webauthn.get', challenge, lies);
    const signature = this.sign(data, clientData);
    if (lies.flipSignature === true) signature[signature.length - 1] = (signature.at(-1) ?? 0) ^ 1;
    const userHandle = lies.userHandle ?? this.userHandle;
    const response = {
      clientDataJSON: base64url(clientData),
      authenticatorData: base64url(data),
      signature: base64url(signature),
      userHandle,
    };
    return { ...this.frame(lies), response };
  }

  /**
   * A certificate of the form that WebAuthn Level 3 s8.2.1 demands of makers of authenticators, for this key, signed by
   * itself.
   */
  async certificate(): Promise<Buffer> {
    const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
    const keys = {
      privateKey: this.privateKey.toCryptoKey(algorithm, true, ['sign']),
      publicKey: this.publicKey.toCryptoKey(algorithm, true, ['verify']),
    };
    const name = 'C=GB, O=Mallory, OU=Authenticator Attestation, CN=Mallory';
    const made = await X509CertificateGenerator.createSelfSigned({
      name,
      keys,
      signingAlgorithm: algorithm,
      extensions: [new BasicConstraintsExtension(false)],
    });
    return Buffer.from(made.rawData);
  }

  private packedStatement(
    signature: Buffer,
    { selfAttested, certificate }: Lies,
  ): ReadonlyMap<string, Cbor> | undefined {
    if (selfAttested !== true && certificate === undefined) return undefined;
    return new Map<string, Cbor>([
      ['alg', -7],
      ['sig', signature],
      ...(certificate === undefined ? [] : [['x5c', [certificate]] as const]),
    ]);
  }

  /** ECDSA in DER, as WebAuthn has it. */
  private sign(data: Buffer, clientData: string): Buffer {
    return createSign('sha256')
      .update(Buffer.concat([data, sha256(clientData)]))
      .sign(this.privateKey);
  }

  private frame({ id = this.id }: Lies) {
    return {
      id,
      rawId: id,
      type: 'public-key',
      authenticatorAttachment: 'platform',
      clientExtensionResults: { credProps: { rk: true } },
    };
  }

  private authenticatorData(rpId: string, flags: number, lies: Lies): Buffer {
    if (!this.countless) this.counter += 1;
    const said =
      flags | (lies.userPresent === false ? 0 : flag.present) | (lies.userVerified === false ? 0 : flag.verified);
    const count = Buffer.alloc(4);
    count.writeUInt32BE(lies.counter ?? this.counter);
    return Buffer.concat([sha256(lies.rpId ?? rpId), Buffer.from([said]), count]);
  }

  private clientData(type: string, challenge: string, lies: Lies): string {
    const { origin = this.origin, crossOrigin = false } = lies;
    return JSON.stringify({ type: lies.type ?? type, challenge: lies.challenge ?? challenge, origin, crossOrigin });
  }

  /** RFC 9053 s7.1.1: kty EC2, the algorithm, crv P-256, x, y. */
  private coseKey({ algorithm = -7 }: Lies): Buffer {
    const { x = '', y = '' } = this.publicKey.export({ format: 'jwk' });
    const bytes = (text: string) => Buffer.from(text, 'base64url');
    return cbor(
      new Map<number, Cbor>([
        [1, 2],
        [3, algorithm],
        [-1, 1],
        [-2, bytes(x)],
        [-3, bytes(y)],
      ]),
    );
  }
}
