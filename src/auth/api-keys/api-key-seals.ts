import type { Macs } from '../../common/macs.js';
import type { ReadKey } from './key-format.js';

const purpose = 'api-key';

/** What a key may, and for whom: all columns of its row that a decision rests on. */
export interface KeyAuthority {
  readonly id: string;
  readonly userId: string;
  readonly service: string | null;
  readonly scopes: readonly string[];
  readonly addressRanges: readonly string[];
  readonly tier: string;
  readonly secretMac: string;
  readonly expiresAt: Date;
}

/** As it was read, with the seal that was beside it. */
export type SealedKey = KeyAuthority & { readonly authorityMac: string | null };

/**
 * What is stored of a key. A plain hash would be enough against whoever reads the table; whoever writes to it could
 * plant the hash of a key of their own.
 */
export const secretMacOf = (macs: Macs, { id, secret }: ReadKey): string => text(macs, secretParts(id, secret));

/** Whether the key is the one of the row, in constant time (ASVS v5.0.0-11.2.4). */
export const isSecretOf = (macs: Macs, { id, secretMac }: Pick<KeyAuthority, 'id' | 'secretMac'>, secret: string) =>
  isGood(macs, secretParts(id, secret), secretMac);

/** Over the row: without the key ring nobody changes the owner, the scopes, the ranges or the end of a key. */
export const sealOf = (macs: Macs, key: KeyAuthority): string => text(macs, rowParts(key));

export const isWhole = (macs: Macs, key: SealedKey): boolean =>
  key.authorityMac !== null && isGood(macs, rowParts(key), key.authorityMac);

function text(macs: Macs, parts: readonly string[]): string {
  const { keyId, mac } = macs.sign(purpose, parts);
  return `${keyId}.${mac.toString('base64url')}`;
}

function isGood(macs: Macs, parts: readonly string[], stored: string): boolean {
  const dot = stored.lastIndexOf('.');
  return macs.verify(purpose, stored.slice(0, dot), parts, Buffer.from(stored.slice(dot + 1), 'base64url'));
}

/** The id is part of both: neither MAC of one row is any in another. */
const secretParts = (id: string, secret: string): string[] => ['secret', id, secret];

const rowParts = (key: KeyAuthority): string[] => [
  'row',
  key.id,
  key.userId,
  JSON.stringify([key.service, key.scopes, key.addressRanges]),
  key.tier,
  key.secretMac,
  String(key.expiresAt.getTime()),
];
