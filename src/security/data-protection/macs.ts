import { createHmac, timingSafeEqual, type KeyObject } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { lengthPrefixed } from './field-encryption/length-prefixed.js';
import { KeyRing } from './key-ring.js';
import type { Purpose } from './purposes.js';

type Parts = readonly (string | Buffer)[];

/** HMAC-SHA-256 under the key ring: for tokens, audit events and other values that are recognised but never read back. */
@Injectable()
export class Macs {
  constructor(private readonly keyRing: KeyRing) {}

  /** The MAC (32 bytes) over the length-prefixed parts, under the active key of the purpose. */
  sign(purpose: Purpose, parts: Parts): { keyId: string; mac: Buffer } {
    const { id, key } = this.keyRing.active(purpose);
    return { keyId: id, mac: macOf(key, parts) };
  }

  /** Constant time in the MAC; false for an unknown key id and for a MAC of another length. */
  verify(purpose: Purpose, keyId: string, parts: Parts, mac: Buffer): boolean {
    const key = this.keyRing.find(purpose, keyId);
    if (key === undefined) return false;
    const expected = macOf(key, parts);
    return mac.length === expected.length && timingSafeEqual(mac, expected);
  }

  /** `<keyId>.<base64url mac>`: what a lookup column holds instead of the text. */
  keyed(purpose: Purpose, text: string): string {
    return keyedText(this.keyRing.active(purpose), text);
  }

  /** The same under the active and every retired key, active first: what to look for while keys rotate. */
  keyedWithAllKeys(purpose: Purpose, text: string): string[] {
    return this.keyRing.all(purpose).map((key) => keyedText(key, text));
  }
}

function macOf(key: KeyObject, parts: Parts): Buffer {
  return createHmac('sha256', key).update(lengthPrefixed(parts)).digest();
}

function keyedText({ id, key }: { id: string; key: KeyObject }, text: string): string {
  return `${id}.${macOf(key, [text]).toString('base64url')}`;
}
