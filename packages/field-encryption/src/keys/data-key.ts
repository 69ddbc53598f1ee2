import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import { fieldKey, type FieldKey } from '../cells/cell.js';
import type { FieldPurpose } from '../field-map.js';
import { lengthPrefixed } from '../cells/aes-gcm.js';

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

/**
 * HKDF-SHA-256 (RFC 5869), no salt: the data key is uniformly random already. A field's key says nothing of another's.
 */
export function deriveFieldKey(secret: KeyObject, frozenName: string): KeyObject {
  const info = lengthPrefixed(['enc:v1 field key', frozenName]);
  return createSecretKey(Buffer.from(hkdfSync('sha256', secret, Buffer.alloc(0), info, dataKeyBytes)));
}

export interface CacheLimits {
  /** How many unwrapped keys a process holds at most. */
  readonly maxKeys: number;
  /**
   * After this time a key is read again: so long may a key that another process destroyed still work here. At most 60.
   */
  readonly maxAgeSeconds: number;
}

interface Entry {
  readonly key: DataKey;
  readonly active: boolean;
  readonly expiresAt: number;
}

/** Unwrapped data keys, bounded in count and age. Oldest out first: with this short an age, no better order pays. */
export class DataKeyCache {
  private readonly byId = new Map<string, Entry>();
  private readonly activeByOwner = new Map<string, Entry>();

  constructor(readonly limits: CacheLimits = { maxKeys: 10_000, maxAgeSeconds: 60 }) {
    if (!(limits.maxAgeSeconds <= 60 && limits.maxKeys >= 1))
      throw new RangeError('data key cache: at most 60 s, at least one key');
  }

  find(id: string): DataKey | undefined {
    return this.fresh(this.byId.get(id))?.key;
  }

  findActive(owner: KeyOwner): DataKey | undefined {
    return this.fresh(this.activeByOwner.get(ownerName(owner)))?.key;
  }

  add(key: DataKey, active: boolean): void {
    this.insert({ key, active, expiresAt: performance.now() + this.limits.maxAgeSeconds * 1000 });
  }

  /** Hands every key over, with its age: what a committed transaction does. */
  moveTo(other: DataKeyCache): void {
    for (const entry of this.byId.values()) other.insert(entry);
  }

  /** Drops every key of a subject whose keys were destroyed, so that nothing opens here any more either. */
  forget(subject: string): void {
    for (const [id, { key }] of this.byId) if (key.subject === subject) this.drop(id);
  }

  private insert(entry: Entry): void {
    const { key, active } = entry;
    this.drop(key.id);
    if (this.byId.size >= this.limits.maxKeys) this.drop(this.byId.keys().next().value ?? '');
    this.byId.set(key.id, entry);
    if (active) this.activeByOwner.set(ownerName(key), entry);
  }

  private drop(id: string): void {
    const entry = this.byId.get(id);
    if (entry === undefined) return;
    this.byId.delete(id);
    const owner = ownerName(entry.key);
    if (this.activeByOwner.get(owner) === entry) this.activeByOwner.delete(owner);
  }

  private fresh(entry: Entry | undefined): Entry | undefined {
    if (entry === undefined || entry.expiresAt > performance.now()) return entry;
    this.drop(entry.key.id);
    return undefined;
  }
}
