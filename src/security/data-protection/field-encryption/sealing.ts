import type { BlindIndex } from './blind-index.js';
import { sealCell } from './cell.js';
import { ownerName, type KeyOwner } from './data-key.js';
import type { DataKeys, KeyScope } from './data-keys.js';
import type { EncryptedField } from './field-map.js';
import { refuse } from './field-encryption.error.js';
import type { Row } from './row.js';
import type { Seal } from './writes.js';

/** Puts cells and indexes where the plaintexts were. Keys are found, or made, in one step for the whole statement. */
export class Sealing {
  constructor(
    private readonly keys: DataKeys,
    private readonly blindIndex: BlindIndex,
  ) {}

  /** @throws FieldEncryptionError when a row id or a subject is not known, or a key cannot be used. */
  async seal(scope: KeyScope, seals: readonly Seal[]): Promise<void> {
    if (seals.length === 0) return;
    const owners = new Map<string, KeyOwner>();
    const named = seals.map((seal) => {
      const owner = ownerOf(seal.row, seal.field);
      const name = ownerName(owner);
      owners.set(name, owner);
      return { ...seal, name };
    });
    const keys = await this.keys.forSealing(scope, owners);
    for (const { row, field, data, text, name } of named) {
      const key = keys.get(name);
      if (key === undefined || row.model.id === null) refuse('unknown-row', `${row.model.name}.${field.name} cannot be sealed`);
      data[field.name] = sealCell(key.fieldKey(field.frozenName), row.identifier(row.model.id), text);
      if (field.index !== undefined) data[field.index.column] = this.blindIndex.of(field.frozenName, text);
    }
  }
}

/** True when row id and subject are known without asking the database. What is not known is noted in the rows. */
export function isSealable({ row, field }: Seal): boolean {
  const values = [row.get(row.model.id ?? ''), 'constant' in field.subject ? '' : row.get(field.subject.field)];
  return values.every((value) => value !== undefined);
}

const ownerOf = (row: Row, { purpose, subject }: EncryptedField): KeyOwner => ({
  purpose,
  subject: 'constant' in subject ? subject.constant : row.identifier(subject.field),
});
