import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import { fieldKey, type FieldKey } from './cell.js';
import type { FieldPurpose } from './field-map.js';
import { lengthPrefixed } from './length-prefixed.js';

export const dataKeyBytes = 32;

/** Whose key, and for what. */
export interface KeyOwner {
  readonly purpose: FieldPurpose;
  readonly subject: string;
}

/** One name per owner: purposes are words without spaces. */
export const ownerName = ({ purpose, subject }: KeyOwner): string => `${purpose} ${subject}`;

/** One subject's key of one purpose, unwrapped. The fields' keys are derived from it once and kept beside it. */
export class DataKey implements KeyOwner {
  readonly purpose: FieldPurpose;
  readonly subject: string;
  private readonly secret: KeyObject;
  private readonly fieldKeys = new Map<string, FieldKey>();

  constructor(
    readonly id: string,
    owner: KeyOwner,
    secret: Buffer,
  ) {
    this.purpose = owner.purpose;
    this.subject = owner.subject;
    this.secret = createSecretKey(secret);
  }

  fieldKey(frozenName: string): FieldKey {
    let found = this.fieldKeys.get(frozenName);
    if (found === undefined) {
      found = fieldKey(deriveFieldKey(this.secret, frozenName), this.id, frozenName);
      this.fieldKeys.set(frozenName, found);
    }
    return found;
  }
}

/** HKDF-SHA-256 (RFC 5869), no salt: the data key is uniformly random already. A field's key says nothing of another's. */
export function deriveFieldKey(secret: KeyObject, frozenName: string): KeyObject {
  const info = lengthPrefixed(['enc:v1 field key', frozenName]);
  return createSecretKey(Buffer.from(hkdfSync('sha256', secret, Buffer.alloc(0), info, dataKeyBytes)));
}
