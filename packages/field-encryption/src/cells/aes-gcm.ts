import { createCipheriv, createDecipheriv, type KeyObject, randomFillSync } from 'node:crypto';

// AES-256-GCM as in SP 800-38D: 96-bit random nonce, 128-bit tag. At most 2^32 seals per key: each field key has one
// subject and one field, so the bound is out of reach.
const algorithm = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;
const tagOptions = { authTagLength: tagBytes } as const;

export const minSealedBytes = nonceBytes + tagBytes;

// One call for 1,024 nonces: a system call per cell would cost more than the cipher.
const pool = Buffer.alloc(nonceBytes * 1024);
let poolOffset = pool.length;

function nextNonce(): Buffer {
  if (poolOffset === pool.length) {
    randomFillSync(pool);
    poolOffset = 0;
  }
  poolOffset += nonceBytes;
  return pool.subarray(poolOffset - nonceBytes, poolOffset);
}

/** nonce (12 bytes) | ciphertext | tag (16 bytes). */
export function seal(key: KeyObject, associatedData: Buffer, plain: string | Buffer): Buffer {
  const nonce = nextNonce();
  const cipher = createCipheriv(algorithm, key, nonce, tagOptions);
  cipher.setAAD(associatedData);
  const body = typeof plain === 'string' ? cipher.update(plain, 'utf8') : cipher.update(plain);
  cipher.final();
  return Buffer.concat([nonce, body, cipher.getAuthTag()]);
}

/** The plaintext; undefined when key, associated data or any bit of the sealed bytes is not what it was. */
export function open(key: KeyObject, associatedData: Buffer, sealed: Buffer): Buffer | undefined {
  // A shorter tag would be accepted with a probability that the attacker chooses (SP 800-38D appendix C).
  if (sealed.length < minSealedBytes) return undefined;
  const tagAt = sealed.length - tagBytes;
  const decipher = createDecipheriv(algorithm, key, sealed.subarray(0, nonceBytes), tagOptions);
  decipher.setAAD(associatedData);
  decipher.setAuthTag(sealed.subarray(tagAt));
  const plain = decipher.update(sealed.subarray(nonceBytes, tagAt));
  try {
    decipher.final();
  } catch {
    return undefined;
  }
  return plain;
}

/**
 * The parts as one unambiguous byte string: each part's length in bytes (32 bits, big endian) before its UTF-8 bytes.
 * Plain joining would let `ab|c` and `a|bc` share a MAC (NIST SP 800-185 s2.3 has the same construction).
 */
export function lengthPrefixed(parts: readonly (string | Buffer)[]): Buffer {
  let maxSize = 0;
  for (const part of parts) maxSize += 4 + maxBytesOf(part);
  const bytes = Buffer.allocUnsafe(maxSize);
  let offset = 0;
  for (const part of parts) {
    const length = typeof part === 'string' ? bytes.write(part, offset + 4) : part.copy(bytes, offset + 4);
    bytes[offset] = length >>> 24;
    bytes[offset + 1] = length >>> 16;
    bytes[offset + 2] = length >>> 8;
    bytes[offset + 3] = length;
    offset += 4 + length;
  }
  return bytes.subarray(0, offset);
}

/** Three bytes of UTF-8 hold any unit of a string; to count those of a short one costs more than their room. */
const maxBytesOf = (part: string | Buffer): number =>
  typeof part === 'string' && part.length <= 256 ? 3 * part.length : Buffer.byteLength(part);
