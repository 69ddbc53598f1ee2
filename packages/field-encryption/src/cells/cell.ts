import type { KeyObject } from 'node:crypto';
import { minSealedBytes, lengthPrefixed, open, seal } from './aes-gcm.js';

// enc:v1:<data key id>:<base64url of nonce, ciphertext and tag>. The format is final: its version is in every cell.
export const cellFormat = 'enc:v1';
const keyAt = cellFormat.length + 1;
const uuidLength = 36;
const bodyAt = keyAt + uuidLength + 1;
const colon = 58;
const cellInside = /enc:v1:[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}:[\w-]{38}/;
const uuidV7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/**
 * The key of one field of one subject, with the parts of cell and associated data that do not change from row to row.
 */
export interface FieldKey {
  readonly key: KeyObject;
  /** `enc:v1:<data key id>:` */
  readonly cellHead: string;
  /** Length-prefixed format, data key id and frozen field name. */
  readonly associatedHead: Buffer;
}

export function fieldKey(key: KeyObject, dataKeyId: string, frozenName: string): FieldKey {
  const associatedHead = lengthPrefixed([cellFormat, dataKeyId, frozenName]);
  return { key, cellHead: `${cellFormat}:${dataKeyId}:`, associatedHead };
}

/** Format, data key id, frozen name and row id: a cell opens in its own row and column only. */
export function associatedData(head: Buffer, rowId: string): Buffer {
  // The same bytes as lengthPrefixed() of all four, without joining the first three again for every cell.
  const length = Buffer.byteLength(rowId);
  const bytes = Buffer.allocUnsafe(head.length + 4 + length);
  bytes.set(head);
  bytes.writeUInt32BE(length, head.length);
  bytes.write(rowId, head.length + 4);
  return bytes;
}

export function sealCell(field: FieldKey, rowId: string, text: string): string {
  return field.cellHead + seal(field.key, associatedData(field.associatedHead, rowId), text).toString('base64url');
}

/** The text; undefined for everything but the exact cell that was sealed for this row, field and subject. */
export function openCell(field: FieldKey, rowId: string, cell: string): string | undefined {
  const sealed = bodyOf(cell);
  return sealed && open(field.key, associatedData(field.associatedHead, rowId), sealed)?.toString('utf8');
}

/**
 * The data key id of what has the outer form of a cell; undefined for anything else. Cheap: the body is not looked at.
 */
export function dataKeyIdOf(text: string): string | undefined {
  if (!hasPrefix(text) || text.charCodeAt(bodyAt - 1) !== colon) return undefined;
  return text.slice(keyAt, bodyAt - 1);
}

/** True for a whole cell and nothing else. */
export function isCell(text: string): boolean {
  return hasPrefix(text) && isDataKeyId(dataKeyIdOf(text) ?? '') && bodyOf(text) !== undefined;
}

/** True when a cell stands anywhere in a value: within a longer text, in a list, in JSON and its names, in bytes. */
export function holdsCell(value: unknown): boolean {
  if (typeof value === 'string') return value.includes(cellFormat) && cellInside.test(value);
  if (typeof value !== 'object' || value === null || value instanceof Date) return false;
  if (ArrayBuffer.isView(value))
    return holdsCell(Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1'));
  return Object.entries(value).some(([name, inner]) => holdsCell(name) || holdsCell(inner));
}

export const isDataKeyId = (text: string): boolean => uuidV7.test(text);

const hasPrefix = (text: string): boolean => text.charCodeAt(keyAt - 1) === colon && text.startsWith(cellFormat);

const alphabet = /^[\w-]+$/;
/**
 * By length modulo 4: the last characters whose bits that belong to no byte are zero. No whole number of bytes has
 * length 1.
 */
const lastCharacters = [undefined, '', 'AQgw', 'AEIMQUYcgkosw048'] as const;

/** Canonical base64url only: one value has one spelling, so that comparing cells compares values (RFC 4648 s3.5). */
function bodyOf(cell: string): Buffer | undefined {
  const text = cell.slice(bodyAt);
  const last = lastCharacters[text.length & 3];
  if (!alphabet.test(text) || last?.includes(text.charAt(text.length - 1)) === false) return undefined;
  const sealed = Buffer.from(text, 'base64url');
  return sealed.length >= minSealedBytes ? sealed : undefined;
}
