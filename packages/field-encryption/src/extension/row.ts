import { randomUUIDv7 } from 'node:crypto';
import type { Args, Model, Relation } from './models.js';
import { throwMisuse } from '../field-encryption.error.js';

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** What is known of a row before its statement runs: by its data or filter, and by the rows that it is linked to. */
export class Row {
  /** Fields that were asked for and are not known: what has to be read before the statement can be prepared. */
  readonly missing = new Set<string>();
  private readonly linked = new Map<string, { readonly row: Row; readonly field: string }>();

  private constructor(
    readonly model: Model,
    private readonly known: Args,
    private readonly isNew: boolean,
  ) {}

  /** A row that will be inserted with this data, into which a missing id is written. */
  static created(model: Model, data: Args): Row {
    const row = new Row(model, data, true);
    // Prisma's own default comes too late: the id is part of the associated data of every cell.
    if (model.encrypted.size > 0 && model.id !== null) row.get(model.id);
    return row;
  }

  /** A row that exists, found by this filter. */
  static existing(model: Model, where: Args): Row {
    return new Row(model, { ...where }, false);
  }

  /** This row is at the far end of the other row's relation: the linked fields have the same values. */
  reachedBy(other: Row, { links }: Relation): void {
    for (const [ownField, otherField] of links) this.linked.set(ownField, { row: other, field: otherField });
  }

  /** This row will hold the key of the other one, which its relation leads to. */
  leadsTo(other: Row, { links }: Relation): void {
    for (const [otherField, ownField] of links) this.linked.set(ownField, { row: other, field: otherField });
  }

  learn(values: object): void {
    Object.assign(this.known, values);
    this.missing.clear();
  }

  /** The value of a String field; undefined when it cannot be told before the statement runs. */
  get(field: string): string | undefined {
    const value = equalTo(this.known[field]);
    if (value !== undefined) return value;
    const linked = this.linked.get(field);
    if (linked !== undefined) return linked.row.get(linked.field);
    if (this.isNew && field === this.model.id && this.model.generatedId && this.known[field] === undefined) {
      return (this.known[field] = randomUUIDv7());
    }
    this.missing.add(field);
    return undefined;
  }

  /**
   * The value as the database will give it back: associated data is built from it, so one value has one spelling.
   * @throws FieldEncryptionError when it is unknown, or a UUID that is not written in lower case.
   */
  identifier(field: string): string {
    const value = this.get(field);
    const name = `${this.model.name}.${field}`;
    if (value === undefined)
      throwMisuse(
        'unknown-row',
        `${name} cannot be told before the statement runs: give it, or write at the top level`,
      );
    if (this.model.uuids.has(field) && !uuid.test(value))
      throwMisuse('bad-identifier', `${name} must be a UUID in lower case`);
    if (value === '' || !value.isWellFormed())
      throwMisuse('bad-identifier', `${name} must be a text that is not empty`);
    return value;
  }
}

function equalTo(condition: unknown): string | undefined {
  const value: unknown =
    typeof condition === 'object' && condition !== null && 'equals' in condition ? condition.equals : condition;
  return typeof value === 'string' ? value : undefined;
}
