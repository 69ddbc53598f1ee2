import { createHmac, timingSafeEqual, type KeyObject } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { KeyRing, lengthPrefixed } from '@nestjs-secure-template/field-encryption';

/** What a key is for. Purposes never share a key: a leak or a mistake in one stays in it (SP 800-57 part 1 s5.2). */
export const purposes = [
  'pii',
  'blind-index',
  'jwt',
  'refresh-token',
  'one-time-token',
  'known-device',
  'audit',
  'rate-limit',
  'authority',
  'api-key',
  'audit-checkpoint',
] as const;

export type Purpose = (typeof purposes)[number];

/** The keys of the others wrap data keys, or are those of signatures. */
export type MacPurpose = Exclude<Purpose, 'pii' | 'jwt' | 'audit-checkpoint'>;

export interface Mac {
  readonly keyId: string;
  /** HMAC-SHA-256, 32 bytes. */
  readonly mac: Buffer;
}

type Parts = readonly (string | Buffer)[];

/** Keyed digests of tokens, audit events and other values that are recognised but never read back. */
@Injectable()
export class Macs {
  constructor(private readonly keyRing: KeyRing) {}

  /** Under the active key of the purpose, over length-prefixed parts, so that ('ab', 'c') and ('a', 'bc') differ. */
  sign(purpose: MacPurpose, parts: Parts): Mac {
    const { id, key } = this.keyRing.active(purpose);
    return { keyId: id, mac: macOf(key, parts) };
  }

  /** In constant time; false for an unknown key id and for a MAC of another length. */
  verify(purpose: MacPurpose, keyId: string, parts: Parts, mac: Buffer): boolean {
    const key = this.keyRing.find(purpose, keyId);
    if (key === undefined) return false;
    const expected = macOf(key, parts);
    return mac.length === expected.length && timingSafeEqual(mac, expected);
  }

  /** `<keyId>.<base64url mac>` under the active key: what a lookup column holds instead of the text. */
  keyed(purpose: MacPurpose, text: string): string {
    return keyedText(this.keyRing.active(purpose), text);
  }

  /** The same under the active and every other key, active first: what to look for while keys rotate. */
  keyedWithAllKeys(purpose: MacPurpose, text: string): string[] {
    return this.keyRing.all(purpose).map((key) => keyedText(key, text));
  }
}

function macOf(key: KeyObject, parts: Parts): Buffer {
  // By way of a text: a buffer of the digest's own costs a third more, and a whole trail is verified so.
  return Buffer.from(createHmac('sha256', key).update(lengthPrefixed(parts)).digest('latin1'), 'latin1');
}

function keyedText({ id, key }: { readonly id: string; readonly key: KeyObject }, text: string): string {
  return `${id}.${macOf(key, [text]).toString('base64url')}`;
}
