import { type Args, asList, isArgs, type Model, narrow, nothing } from './models.js';
import type { Filters } from './filters.js';
import { throwMisuse } from '../field-encryption.error.js';
import type { Connection } from './key-scopes.js';
import { Row } from './row.js';
import { type Seal, Writes } from './writes.js';
import type { BlindIndex } from '../cells/blind-index.js';
import { sealCell } from '../cells/cell.js';
import { type KeyOwner, ownerName } from '../keys/data-key.js';
import type { DataKeys, KeyScope } from '../keys/data-keys.js';
import type { EncryptedField } from '../field-map.js';

/** One call of a model's operation, on its way to the database. */
export interface Call {
  readonly model: Model;
  readonly operation: string;
  readonly args: Args;
  readonly connection: Connection;
  /** Part of `$transaction([...])`: what stands before it in the list has not run yet. */
  readonly inBatch: boolean;
}

interface UniqueReader {
  findUnique(args: { where: Args; select: Args }): PromiseLike<object | null>;
}

/** Every operation of Prisma's models is prepared here, or refused. */
export class Operations {
  constructor(
    private readonly filters: Filters,
    private readonly sealing: Sealing,
  ) {}

  /** Seals values and rewrites filters in the arguments. @throws FieldEncryptionError for what cannot be right. */
  async prepare(call: Call): Promise<void> {
    const { model, args, operation } = call;
    this.filters.where(model, args['where']);
    this.filters.order(model, args);
    const prepare = Object.hasOwn(this.byName, operation) ? this.byName[operation] : undefined;
    if (prepare === undefined)
      throwMisuse('unsupported-operation', `${model.name}.${operation} is not known to field encryption: use another`);
    await prepare(call);
  }

  private readonly byName: Readonly<Record<string, (call: Call) => Promise<void> | void>> = {
    findUnique: onlyFilters,
    findUniqueOrThrow: onlyFilters,
    findFirst: onlyFilters,
    findFirstOrThrow: onlyFilters,
    findMany: onlyFilters,
    count: onlyFilters,
    delete: onlyFilters,
    deleteMany: onlyFilters,
    aggregate: ({ model, args }) => this.filters.aggregates(model, args),
    groupBy: ({ model, args }) => this.filters.aggregates(model, args),
    create: ({ model, args, connection }) => this.create(model, [args['data']], connection),
    createMany: ({ model, args, connection }) => this.create(model, asList(args['data']), connection),
    createManyAndReturn: ({ model, args, connection }) => this.create(model, asList(args['data']), connection),
    update: (call) => this.update(call),
    updateMany: ({ model, args }) => new Writes(this.filters).updateMany(model, args['data']),
    updateManyAndReturn: ({ model, args }) => new Writes(this.filters).updateMany(model, args['data']),
    upsert: (call) => this.upsert(call),
  };

  /** Seals the values of new rows, in place. */
  create(model: Model, rows: readonly unknown[], connection: KeyScope): Promise<void> {
    const writes = new Writes(this.filters);
    for (const data of rows) writes.create(model, data);
    return this.sealing.seal(connection, writes.seals);
  }

  private async update(call: Call): Promise<void> {
    await this.sealing.seal(call.connection, await this.updateSeals(call, call.args['data']));
  }

  private async upsert(call: Call): Promise<void> {
    const writes = new Writes(this.filters);
    writes.create(call.model, call.args['create']);
    const updates = await this.updateSeals(call, call.args['update']);
    await this.sealing.seal(call.connection, [...writes.seals, ...updates]);
  }

  /**
   * Row id and subject come from the filter, or are read first; then they are part of the filter, so that the row that
   * was looked at is the row that is written.
   */
  private async updateSeals({ model, args, connection, inBatch }: Call, data: unknown): Promise<readonly Seal[]> {
    const where = isArgs(args['where']) ? args['where'] : {};
    const row = Row.existing(model, where);
    const writes = new Writes(this.filters);
    writes.update(row, data);
    if (writes.seals.filter((seal) => !isSealable(seal)).length === 0 || row.missing.size === 0) return writes.seals;
    const missing = [...row.missing];
    if (inBatch) {
      throwMisuse(
        'unknown-row',
        `${model.name}: in a batch, give ${missing.join(', ')} in the filter, or use an interactive transaction`,
      );
    }
    const select = Object.fromEntries(missing.map((field) => [field, true]));
    const found = await (connection.client[model.delegate] as UniqueReader).findUnique({ where: { ...where }, select });
    if (found === null) {
      // No such row: the statement must find none either, not even one that appears in this moment and would get
      // plaintext.
      args['where'] = where;
      narrow(where, ...missing.map(nothing));
      for (const { data: target, field } of writes.seals) target[field.name] = '';
      return [];
    }
    row.learn(found);
    narrow(where, { ...found });
    return writes.seals;
  }
}

const onlyFilters = (): void => undefined;

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
      if (key === undefined || row.model.id === null)
        throwMisuse('unknown-row', `${row.model.name}.${field.name} cannot be sealed`);
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
