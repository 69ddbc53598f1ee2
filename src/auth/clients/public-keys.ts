import { createPublicKey, type KeyObject, type webcrypto } from 'node:crypto';
import { Problem } from '../../common/http/problem.js';
import type { PublicJwk } from './clients.dto.js';

/** Signatures of clients: assertions and proofs. No `none`, no shared secret, no PKCS#1 v1.5 (RFC 8725 s3.2). */
export const signatureAlgorithms = ['ES256', 'PS256', 'EdDSA', 'Ed25519'] as const;

const rsaBits = { min: 2048, max: 4096 };

/**
 * The JWK set of a client, as it is stored: public members only, each key good for one algorithm.
 * @throws Problem validation-failed for what is no such key.
 */
export function toJwkSet(keys: readonly PublicJwk[]): string {
  const kids = keys.map(({ kid }) => kid);
  if (new Set(kids).size < kids.length) throw unusable('nextKey', 'both keys have one kid: give each its own');
  return JSON.stringify({ keys: keys.map((jwk, index) => withAlgorithm(jwk, index === 0 ? 'key' : 'nextKey')) });
}

function withAlgorithm({ kid, ...members }: PublicJwk, field: string) {
  const key = read(members, field);
  const { x, y, n, e } = key.export({ format: 'jwk' });
  const stored = { kid, use: 'sig' };
  switch (kindOf(key)) {
    case 'ec':
      return { kty: 'EC', crv: 'P-256', x, y, ...stored, alg: 'ES256' };
    case 'ed25519':
      return { kty: 'OKP', crv: 'Ed25519', x, ...stored };
    case 'rsa':
      return { kty: 'RSA', n, e, ...stored, alg: 'PS256' };
    default:
      throw unusable(field, 'a key must be EC P-256, Ed25519, or RSA of 2048 to 4096 bits with the exponent 65537');
  }
}

function kindOf({ asymmetricKeyType: type, asymmetricKeyDetails: details = {} }: KeyObject): string | undefined {
  const { namedCurve, modulusLength = 0, publicExponent } = details;
  if (type === 'ec') return namedCurve === 'prime256v1' ? type : undefined;
  if (type !== 'rsa') return type;
  const isGood = modulusLength >= rsaBits.min && modulusLength <= rsaBits.max && publicExponent === 65537n;
  return isGood ? type : undefined;
}

function read(jwk: webcrypto.JsonWebKey, field: string): KeyObject {
  try {
    return createPublicKey({ key: jwk, format: 'jwk' });
  } catch {
    throw unusable(field, 'the members are no public key');
  }
}

const unusable = (field: string, message: string): Problem =>
  new Problem('validation-failed', undefined, {
    errors: [{ pointer: `/${field}`, code: 'unusable-key', message: `${field}: ${message}` }],
  });
