import type { Args, Model } from './models.js';
import type { BlindIndex } from '../cells/blind-index.js';
import { dataKeyIdOf, holdsCell, isDataKeyId, openCell } from '../cells/cell.js';
import type { DataKey } from '../keys/data-key.js';
import type { DataKeys, KeyOrFault, KeyScope } from '../keys/data-keys.js';
import type { EncryptedField } from '../field-map.js';
import { type FaultCode, FieldEncryptionError, type FieldFault } from '../field-encryption.error.js';

export interface StoredValue {
  readonly model: Model;
  readonly field: EncryptedField;
  readonly row: Args;
  readonly cell: string;
}

interface WaitingValue extends StoredValue {
  readonly keyId: string;
}

export interface OpeningScope {
  readonly scope: KeyScope;
  /** Stands for what does not open; undefined: one such cell fails the result. */
  readonly unreadable?: string | undefined;
}

interface Walk extends OpeningScope {
  /** What could not be opened in passing, because its key has to be loaded. */
  readonly waiting: WaitingValue[];
}

/**
 * Opens every cell of a result, in place. One cell that is not right fails the whole result, unless the caller only
 * shows it.
 */
export class Opening {
  constructor(
    private readonly keys: DataKeys,
    private readonly blindIndex: BlindIndex,
    private readonly onFault: (fault: FieldFault) => void,
  ) {}

  /** In one go while all keys are in the caches. @throws FieldEncryptionError after telling `onFault`. */
  async open(scope: OpeningScope, model: Model, result: unknown): Promise<void> {
    const waiting: WaitingValue[] = [];
    const walk: Walk = { ...scope, waiting };
    this.visit(walk, model, result);
    if (waiting.length === 0) return;
    const loaded = await this.keys.load(scope.scope, [...new Set(waiting.map(({ keyId }) => keyId))]);
    for (const value of waiting) this.openValue(walk, value, loaded.get(value.keyId) ?? 'unknown-key');
  }

  /** Throws on a cell anywhere in a result that was not opened: raw queries, aggregates. */
  sweep(model: string, result: unknown): void {
    if (holdsCell(result)) this.fault({ model, code: 'stray-cell' });
  }

  private visit(walk: Walk, model: Model, result: unknown): void {
    if (Array.isArray(result)) {
      for (const row of result) this.visit(walk, model, row);
    } else if (typeof result === 'object' && result !== null) {
      const row = result as Args;
      for (const name in row) {
        const value = row[name];
        if (typeof value === 'string' || (typeof value === 'object' && value !== null))
          this.visitField(walk, model, row, name);
      }
    }
  }

  private visitField(walk: Walk, model: Model, row: Args, name: string): void {
    const field = model.encrypted.get(name);
    if (field !== undefined) return this.visitCell(walk, model, field, row);
    const relation = model.relations.get(name);
    if (relation !== undefined) this.visit(walk, relation.target, row[name]);
    else this.sweep(model.name, row[name]);
  }

  private visitCell(walk: Walk, model: Model, field: EncryptedField, row: Args): void {
    const cell = row[field.name];
    const keyId = typeof cell === 'string' ? dataKeyIdOf(cell) : undefined;
    if (typeof cell !== 'string' || keyId === undefined) return this.faultIn(walk, { model, field, row }, 'not-a-cell');
    const key = this.keys.cached(walk.scope, keyId);
    if (key !== undefined) return this.openValue(walk, { model, field, row, cell }, key);
    if (!isDataKeyId(keyId)) return this.faultIn(walk, { model, field, row }, 'not-a-cell');
    walk.waiting.push({ model, field, row, cell, keyId });
  }

  private openValue(walk: Walk, value: StoredValue, key: KeyOrFault): void {
    const opened = openStored(value, key, this.blindIndex);
    if ('fault' in opened) this.faultIn(walk, value, opened.fault);
    else value.row[value.field.name] = opened.text;
  }

  /** Told in any case; a list that is only shown goes on without the value. */
  private faultIn({ unreadable }: Walk, { model, field, row }: Omit<StoredValue, 'cell'>, code: FaultCode): void {
    const fault = { ...cellAddress(model, field, row), code };
    if (unreadable === undefined) this.fault(fault);
    this.onFault(fault);
    row[field.name] = unreadable;
  }

  private fault(fault: FieldFault): never {
    this.onFault(fault);
    const place = [fault.model, fault.field].filter((part) => part !== undefined).join('.');
    throw new FieldEncryptionError(fault.code, `${place}: ${explanations[fault.code]}`);
  }
}

export type Opened = { readonly text: string } | { readonly fault: FaultCode };

/** The text of a cell that is where it belongs, with the index that it should have; otherwise what is wrong. */
export function openStored({ model, field, row, cell }: StoredValue, key: KeyOrFault, blindIndex: BlindIndex): Opened {
  if (typeof key === 'string') return { fault: key };
  const rowId = row[model.id ?? ''];
  if (typeof rowId !== 'string') return { fault: 'missing-row-id' };
  if (!belongsTo(key, field, row)) return { fault: 'foreign-key' };
  const text = openCell(key.fieldKey(field.frozenName), rowId, cell);
  if (text === undefined) return { fault: 'broken-cell' };
  const index = field.index === undefined ? undefined : row[field.index.column];
  const indexed =
    index === undefined || (typeof index === 'string' && blindIndex.matches(field.frozenName, text, index));
  return indexed ? { text } : { fault: 'index-mismatch' };
}

/** The key must be this subject's: a cell that was sealed for one person never opens in another's row. */
function belongsTo(key: DataKey, { purpose, subject }: EncryptedField, row: Args): boolean {
  const owner = 'constant' in subject ? subject.constant : row[subject.field];
  return key.purpose === purpose && (owner === undefined || owner === key.subject);
}

function cellAddress(model: Model, field: EncryptedField, row: Args): Pick<FieldFault, 'model' | 'field' | 'rowId'> {
  const rowId = row[model.id ?? ''];
  return { model: model.name, field: field.name, ...(typeof rowId === 'string' && { rowId }) };
}

const explanations: Readonly<Record<FaultCode, string>> = {
  'not-a-cell': 'the column holds something that is no sealed cell',
  'broken-cell': 'the cell was changed, or was sealed for another row, field or version',
  'foreign-key': 'the cell was sealed with the data key of another subject or purpose',
  'unknown-key': 'the data key of the cell does not exist',
  'destroyed-key': 'the data key of the cell was destroyed',
  'broken-key': 'the data key of the cell cannot be unwrapped: the table was changed, or the key ring is another',
  'index-mismatch': 'the blind index is not that of the value',
  'stray-cell': 'the result holds a sealed cell outside of an encrypted field: read it through the model',
  'missing-row-id': 'the row came without its id, which its cells are bound to',
};
