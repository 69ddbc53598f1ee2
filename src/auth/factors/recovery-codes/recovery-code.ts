import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** Crockford's base32: no letter that can be taken for a digit. */
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
/** 25 characters of 5 bits are 125 bits; from 112 on a plain hash may store them (ASVS v5.0.0-6.5.2, 6.5.4). */
const characters = 25;
const groupCharacters = 5;

/** As people type one: with hyphens anywhere or nowhere. */
export const codePattern = /(?<![\w-])[0-9a-z](?:-?[0-9a-z]){24}(?![\w-])/gi;

/** A code that somebody can write down: `XXXXX-XXXXX-XXXXX-XXXXX-XXXXX`. */
export function newRecoveryCode(): string {
  // 32 divides 256: every character is equally likely.
  const text = Array.from(randomBytes(characters), (byte) => alphabet.charAt(byte % alphabet.length)).join('');
  return (text.match(new RegExp(`.{${groupCharacters}}`, 'g')) ?? []).join('-');
}

/**
 * SHA-256, hexadecimal, of the one spelling: lower case, missing hyphens and the letters O, I and L are what people
 * type.
 */
export function hashOfCode(typed: string): string {
  const text = typed.toUpperCase().replaceAll('-', '').replaceAll('O', '0').replaceAll(/[IL]/g, '1');
  return createHash('sha256').update(text).digest('hex');
}

/** Compares two hashes in constant time. */
export const isSameHash = (one: string, other: string): boolean =>
  one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other));
