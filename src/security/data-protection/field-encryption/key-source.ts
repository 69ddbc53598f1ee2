import type { KeyObject } from 'node:crypto';
import type { FieldPurpose } from './field-map.js';

export interface NamedKey {
  readonly id: string;
  readonly key: KeyObject;
}

/** Where key-encryption keys and the blind-index keys come from: 256-bit secrets that never enter the database. */
export interface KeySource {
  active(purpose: FieldPurpose | 'blind-index'): NamedKey;
  find(purpose: FieldPurpose | 'blind-index', id: string): KeyObject | undefined;
  /** The active key first, then the retired ones. */
  all(purpose: FieldPurpose | 'blind-index'): readonly NamedKey[];
}
