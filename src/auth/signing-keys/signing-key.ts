import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomUUIDv7,
  type KeyObject,
  type webcrypto,
} from 'node:crypto';

/** One P-256 key pair, ready for use: parsed once, because parsing at each request costs ten times the look-up. */
export interface SigningKey {
  /** UUIDv7, the `kid` of tokens. */
  readonly id: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** As published: public members only. */
  readonly publicJwk: webcrypto.JsonWebKey;
}

/** A new pair as it is stored; the private half is an encrypted field. */
export function newKeyPair(): { id: string; publicJwk: object; privateJwk: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    id: randomUUIDv7(),
    publicJwk: publicKey.export({ format: 'jwk' }),
    privateJwk: JSON.stringify(privateKey.export({ format: 'jwk' })),
  };
}

/**
 * The public half is computed from the sealed private half, never read from its own column: whoever can write to the
 * database could plant a public key there and sign tokens with it, but cannot seal a cell.
 */
export function toSigningKey({ id, privateJwk }: { id: string; privateJwk: string }): SigningKey {
  const privateKey = createPrivateKey({ key: JSON.parse(privateJwk) as webcrypto.JsonWebKey, format: 'jwk' });
  const publicKey = createPublicKey(privateKey);
  return { id, privateKey, publicKey, publicJwk: publicKey.export({ format: 'jwk' }) };
}
