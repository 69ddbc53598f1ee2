import { asList, isArgs, narrow, nothing, type Args } from './arguments.js';
import type { Filters } from './filters.js';
import { refuse } from './field-encryption.error.js';
import type { Connection } from './key-scopes.js';
import type { Model } from './models.js';
import { Row } from './row.js';
import { isSealable, type Sealing } from './sealing.js';
import { Writes, type Seal } from './writes.js';

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
    if (prepare === undefined) refuse('unsupported-operation', `${model.name}.${operation} is not known to field encryption: use another`);
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
    create: (call) => this.create(call, [call.args['data']]),
    createMany: (call) => this.create(call, asList(call.args['data'])),
    createManyAndReturn: (call) => this.create(call, asList(call.args['data'])),
    update: (call) => this.update(call),
    updateMany: ({ model, args }) => new Writes(this.filters).updateMany(model, args['data']),
    updateManyAndReturn: ({ model, args }) => new Writes(this.filters).updateMany(model, args['data']),
    upsert: (call) => this.upsert(call),
  };

  private create({ model, connection }: Call, rows: readonly unknown[]): Promise<void> {
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
   * Row id and subject come from the filter, or are read first; then they are part of the filter, so that the row that was
   * looked at is the row that is written.
   */
  private async updateSeals({ model, args, connection, inBatch }: Call, data: unknown): Promise<readonly Seal[]> {
    const where = isArgs(args['where']) ? args['where'] : {};
    const row = Row.existing(model, where);
    const writes = new Writes(this.filters);
    writes.update(row, data);
    if (writes.seals.filter((seal) => !isSealable(seal)).length === 0 || row.missing.size === 0) return writes.seals;
    const missing = [...row.missing];
    if (inBatch) {
      refuse('unknown-row', `${model.name}: in a batch, give ${missing.join(', ')} in the filter, or use an interactive transaction`);
    }
    const select = Object.fromEntries(missing.map((field) => [field, true]));
    const found = await (connection.client[model.delegate] as UniqueReader).findUnique({ where: { ...where }, select });
    if (found === null) {
      // No such row: the statement must find none either, not even one that appears in this moment and would get plaintext.
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
