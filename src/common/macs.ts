/** What a keyed digest is for. Each purpose has a key of its own, so that a digest of one never counts for another. */
export type MacPurpose = 'blind-index' | 'refresh-token' | 'one-time-token' | 'known-device' | 'audit' | 'rate-limit' | 'authority';

export interface Mac {
  readonly keyId: string;
  /** HMAC-SHA-256, 32 bytes. */
  readonly mac: Buffer;
}

/** Keyed digests for whoever must not hold a key. security/data-protection provides it. */
export abstract class Macs {
  /** Over length-prefixed parts, so that ('ab', 'c') and ('a', 'bc') differ. */
  abstract sign(purpose: MacPurpose, parts: readonly (string | Buffer)[]): Mac;
  /** In constant time; false for an unknown key id. */
  abstract verify(purpose: MacPurpose, keyId: string, parts: readonly (string | Buffer)[], mac: Buffer): boolean;
  /** `<keyId>.<base64url mac>` under the active key: a one-way name for a text. */
  abstract keyed(purpose: MacPurpose, text: string): string;
  /** The same under every key, for look-ups while a key rotates. */
  abstract keyedWithAllKeys(purpose: MacPurpose, text: string): string[];
}
