import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto';
import type { KeySource } from '../keys/key-wrapper.js';
import { lengthPrefixed } from './aes-gcm.js';

/**
 * `<key id>.<base64url HMAC-SHA-256 of field name and value>`: finds equal values without opening one. Keyed, because a
 * plain hash of an e-mail address is guessed in minutes; bound to the field, so that two tables cannot be joined on it.
 */
export class BlindIndex {
  constructor(private readonly keys: KeySource) {}

  /** What is stored beside a cell. */
  of(frozenName: string, text: string): string {
    const { id, key } = this.keys.active('blind-index');
    return `${id}.${mac(key, frozenName, text).toString('base64url')}`;
  }

  /** What to look for: the index under the active key and under every retired one, while keys rotate. */
  candidates(frozenName: string, text: string): string[] {
    return this.keys
      .all('blind-index')
      .map(({ id, key }) => `${id}.${mac(key, frozenName, text).toString('base64url')}`);
  }

  /** True when the stored index is that of the text: an index that was copied to another row leads there no more. */
  matches(frozenName: string, text: string, stored: string): boolean {
    const dot = stored.indexOf('.');
    const key = this.keys.find('blind-index', stored.slice(0, dot));
    if (key === undefined) return false;
    const expected = Buffer.from(mac(key, frozenName, text).toString('base64url'));
    const found = Buffer.from(stored.slice(dot + 1));
    return found.length === expected.length && timingSafeEqual(found, expected);
  }
}

const mac = (key: KeyObject, frozenName: string, text: string): Buffer =>
  createHmac('sha256', key)
    .update(lengthPrefixed(['bi:v1', frozenName, text]))
    .digest();
