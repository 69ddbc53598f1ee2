import { type Args, asList, isArgs, type Model, type Relation } from './models.js';
import { holdsCell } from '../cells/cell.js';
import type { EncryptedField } from '../field-map.js';
import type { Filters } from './filters.js';
import { throwMisuse } from '../field-encryption.error.js';
import { Row } from './row.js';

/** One value to be sealed, and where the cell goes. */
export interface Seal {
  readonly row: Row;
  readonly field: EncryptedField;
  readonly data: Args;
  readonly text: string;
}

interface NestedWrite {
  readonly row: Row;
  readonly relation: Relation;
  readonly updating: boolean;
  readonly item: unknown;
}

/**
 * Walks the data of one statement, nested writes included, and gathers what has to be sealed. Refuses what cannot be
 * right.
 */
export class Writes {
  readonly seals: Seal[] = [];

  constructor(private readonly filters: Filters) {}

  create(model: Model, data: unknown, link?: (row: Row) => void): void {
    if (!isArgs(data)) return;
    const row = Row.created(model, data);
    link?.(row);
    this.data(row, data, false);
  }

  update(row: Row, data: unknown): void {
    if (!isArgs(data)) return;
    refuseFixed(row.model, data);
    this.data(row, data, true);
  }

  /** Many rows at once have many ids, and a cell fits one. */
  updateMany(model: Model, data: unknown): void {
    if (!isArgs(data)) return;
    const row = Row.existing(model, {});
    const found = new Writes(this.filters);
    found.update(row, data);
    const [seal] = found.seals;
    if (seal !== undefined) {
      throwMisuse(
        'bulk-write',
        `${model.name}.${seal.field.name} is sealed row by row: update the rows one by one in a transaction`,
      );
    }
  }

  private data(row: Row, data: Args, updating: boolean): void {
    for (const [name, value] of Object.entries(data)) {
      if (value === undefined) continue;
      const field = row.model.encrypted.get(name);
      const relation = row.model.relations.get(name);
      if (field !== undefined) this.encrypted(row, field, data);
      else if (relation !== undefined) this.relation(row, relation, value, updating);
      else if (row.model.indexColumns.has(name)) {
        throwMisuse(
          'index-by-hand',
          `${row.model.name}.${name} is a blind index: it is written together with its field`,
        );
      } else if (holdsCell(value)) {
        throwMisuse(
          'bad-value',
          `${row.model.name}.${name} is not encrypted, and a sealed cell must not be stored in it`,
        );
      }
    }
  }

  private encrypted(row: Row, field: EncryptedField, data: Args): void {
    const given = data[field.name];
    const text = isArgs(given) && 'set' in given ? given['set'] : given;
    if (text === undefined) return;
    if (text === null) {
      data[field.name] = null;
      if (field.index !== undefined) data[field.index.column] = null;
      return;
    }
    // A lone surrogate has no UTF-8 form: what is read back would differ from what was written.
    if (typeof text !== 'string' || !text.isWellFormed()) {
      throwMisuse('bad-value', `${row.model.name}.${field.name} must be well-formed text or null`);
    }
    this.seals.push({ row, field, data, text });
  }

  private relation(row: Row, relation: Relation, writes: unknown, updating: boolean): void {
    if (!isArgs(writes)) return;
    for (const [operation, value] of Object.entries(writes)) {
      const write = Object.hasOwn(this.nested, operation) ? this.nested[operation] : undefined;
      const name = `${row.model.name}.${relation.name}.${operation}`;
      if (write === undefined)
        throwMisuse('unsupported-nested-write', `${name} is not known here: use another operation`);
      if (value === undefined) continue;
      if (write.moves(relation, updating)) {
        throwMisuse(
          'unsupported-nested-write',
          `${name} would change whose cells these are: read the row, and create it anew`,
        );
      }
      for (const item of asList(value)) write.run({ row, relation, updating, item });
    }
  }

  private readonly nested: Readonly<
    Record<string, { moves: (relation: Relation, updating: boolean) => boolean; run: (write: NestedWrite) => void }>
  > = {
    create: {
      moves: ({ movesSelf }, updating) => movesSelf && updating,
      run: (write) => this.nestedCreate(write, write.item),
    },
    createMany: {
      moves: () => false,
      run: (write) =>
        asList(isArgs(write.item) ? write.item['data'] : []).forEach((item) => this.nestedCreate(write, item)),
    },
    connectOrCreate: { moves: moves, run: (write) => this.connectOrCreate(write) },
    connect: {
      moves: ({ movesSelf, movesOther }, updating) => movesOther || (movesSelf && updating),
      run: (write) => this.connect(write),
    },
    set: { moves: moves, run: (write) => this.filter(write) },
    disconnect: { moves: moves, run: (write) => this.filter(write) },
    delete: { moves: () => false, run: (write) => this.filter(write) },
    deleteMany: { moves: () => false, run: (write) => this.filter(write) },
    update: { moves: () => false, run: (write) => this.nestedUpdate(write) },
    updateMany: { moves: () => false, run: (write) => this.nestedUpdateMany(write) },
    upsert: { moves: ({ movesSelf }) => movesSelf, run: (write) => this.nestedUpsert(write) },
  };

  private nestedCreate({ row, relation, updating }: NestedWrite, data: unknown): void {
    this.create(relation.target, data, (child) => {
      if (!relation.holdsKey) child.reachedBy(row, relation);
      else if (!updating) row.leadsTo(child, relation);
    });
  }

  private connect({ row, relation, updating, item }: NestedWrite): void {
    if (!isArgs(item)) return;
    if (relation.holdsKey && !updating) row.leadsTo(Row.existing(relation.target, item), relation);
    this.filters.where(relation.target, item);
  }

  private connectOrCreate(write: NestedWrite): void {
    if (!isArgs(write.item)) return;
    this.filters.where(write.relation.target, write.item['where']);
    this.create(write.relation.target, write.item['create']);
  }

  private filter({ relation, item }: NestedWrite): void {
    this.filters.where(relation.target, item);
  }

  private nestedUpdate({ row, relation, item }: NestedWrite): void {
    if (!isArgs(item)) return;
    // To-one relations also take the data alone.
    const withWhere = relation.list || isArgs(item['data']);
    const where = withWhere && isArgs(item['where']) ? item['where'] : {};
    const child = Row.existing(relation.target, where);
    child.reachedBy(row, relation);
    this.filters.where(relation.target, where);
    this.update(child, withWhere ? item['data'] : item);
  }

  private nestedUpdateMany({ relation, item }: NestedWrite): void {
    if (!isArgs(item)) return;
    this.filters.where(relation.target, item['where']);
    this.updateMany(relation.target, item['data']);
  }

  private nestedUpsert(write: NestedWrite): void {
    const { item } = write;
    if (!isArgs(item)) return;
    this.nestedUpdate({ ...write, item: { where: item['where'], data: item['update'] } });
    this.nestedCreate(write, item['create']);
  }
}

const moves = ({ movesSelf, movesOther }: Relation): boolean => movesSelf || movesOther;

function refuseFixed(model: Model, data: Args): void {
  for (const field of model.fixed) {
    if (data[field] === undefined) continue;
    throwMisuse(
      'fixed-field',
      `cells are bound to ${model.name}.${field}, so it never changes: create a new row and delete the old one`,
    );
  }
}
