import { type Args, type Model, Models } from './models.js';
import { BlindIndex } from '../cells/blind-index.js';
import { DataKeyCache } from '../keys/data-key.js';
import { DataKeys } from '../keys/data-keys.js';
import type { FieldMap } from '../field-map.js';
import { type FieldFault, throwMisuse } from '../field-encryption.error.js';
import { Filters } from './filters.js';
import { type Client, type Connection, KeyScopes, type TransactionInfo } from './key-scopes.js';
import { type KeySource, type KeyWrapper, LocalKeyWrapper } from '../keys/key-wrapper.js';
import { Opening } from './opening.js';
import { Operations, Sealing } from './operations.js';
import { Selection, type Strip, stripRows } from './selection.js';

export interface ProtectOptions {
  /** The generated map: `fieldMap` of src/generated/field-encryption. */
  readonly fields: FieldMap;
  readonly keyRing: KeySource;
  /** Hears of every cell that could not be opened, before the error is thrown. Must not throw. */
  readonly onFault: (fault: FieldFault) => void;
  /**
   * Asked at each result: what stands for a value that does not open, where nobody relies on it. Left out, or
   * undefined: the result fails.
   */
  readonly unreadable?: () => string | undefined;
  /** Who wraps data keys: the first wraps new ones, all unwrap. Left out: the key ring. */
  readonly wrappers?: readonly KeyWrapper[];
  /** Where unwrapped keys are kept; hold it to `forget()` subjects. Left out: 10,000 keys for 60 seconds. */
  readonly cache?: DataKeyCache;
  /**
   * Asked before Prisma at each read outside of a transaction, with filters on blind indexes and whatever opening
   * needs: answers it with rows as they are stored, or leaves it to Prisma by undefined.
   */
  readonly read?: DirectRead;
}

export type DirectRead = (call: {
  readonly model: string;
  readonly operation: string;
  readonly args: Readonly<Record<string, unknown>>;
}) => Promise<unknown> | undefined;

interface QueryCall {
  readonly model?: string;
  readonly operation: string;
  readonly args: Args;
  readonly query: (args: Args) => Promise<unknown>;
  readonly __internalParams?: { readonly transaction?: TransactionInfo; readonly dataPath?: readonly string[] };
}

interface ExtensibleClient extends Client {
  $extends(extension: object): unknown;
  $transaction(this: unknown, work: unknown, options?: object): Promise<unknown>;
}

/** A row as it is stored: for statements that are written by hand. */
export interface StoredRow {
  readonly table: string;
  /** Column -> value; cells and blind indexes among them. */
  readonly columns: Readonly<Record<string, unknown>>;
}

export interface Sealer {
  /**
   * The row that `create` of the model would write, for a statement written by hand: sealed, under the names of the
   * table. Defaults of the schema are left to the database, and relations are no columns.
   * @throws FieldEncryptionError as `create` does, and for a field that is no column.
   */
  $seal(model: string, data: object): Promise<StoredRow>;
}

/** @param client one of `protectFields()`, or that of a transaction on it. */
export const sealerOf = (client: object): Sealer => client as Sealer;

const rawOperations = new Set(['$queryRaw', '$queryRawUnsafe', '$queryRawTyped', '$executeRaw', '$executeRawUnsafe']);

/**
 * The client whose annotated fields are written as sealed cells and read as plain values. What cannot be done on sealed
 * fields throws a FieldEncryptionError that tells what to do.
 */
export function protectFields<C extends object>(client: C, options: ProtectOptions): Omit<C, '$on' | '$extends'> {
  const base = client as unknown as ExtensibleClient;
  const scopes = new KeyScopes(base, options.cache ?? new DataKeyCache());
  const parts = partsOf(options);
  const extended = base.$extends({
    name: 'field-encryption',
    query: { $allOperations: queryCallback(options, scopes, parts) },
    client: {
      $seal(this: unknown, model: string, data: object): Promise<StoredRow> {
        return sealRow(options.fields, parts, { model, data, connection: scopes.current(this) });
      },
      $extends: refuseExtension,
      $transaction(this: unknown, work: unknown, settings?: object): Promise<unknown> {
        if (typeof work !== 'function') return base.$transaction.call(this, work, settings);
        return scopes.transaction(this, (enter) =>
          // Awaited inside: Prisma's promises start when somebody waits for them, which must not be after the callback.
          base.$transaction.call(
            this,
            (inner: Client) => enter(inner, async () => (await work(inner)) as unknown),
            settings,
          ),
        );
      },
    },
  });
  return extended as Omit<C, '$on' | '$extends'>;
}

/** It would run behind the checks, beside the database: it could sort by a sealed field, or write plaintext. */
const refuseExtension = (): never =>
  throwMisuse(
    'unsupported-operation',
    'an extension on top would pass by field encryption: extend the client first, then protectFields()',
  );

async function sealRow(
  fields: FieldMap,
  { models, operations }: ReturnType<typeof partsOf>,
  { model, data, connection }: { model: string; data: object; connection: Connection },
): Promise<StoredRow> {
  const row = { ...data };
  await operations.create(models.get(model), [row], connection);
  return { table: fields[model]?.table ?? '', columns: columnsOf(model, fields[model], row) };
}

function columnsOf(model: string, fields: FieldMap[string] | undefined, row: Args): Args {
  const columns: Args = {};
  for (const name in row) {
    if (row[name] === undefined) continue;
    const column = fields?.columns[name];
    if (column === undefined) throwMisuse('unsupported-operation', `${model}.${name} is no column`);
    columns[column] = row[name];
  }
  return columns;
}

function partsOf(options: ProtectOptions) {
  const models = new Models(options.fields);
  const blindIndex = new BlindIndex(options.keyRing);
  const keys = new DataKeys(options.wrappers ?? [new LocalKeyWrapper(options.keyRing)], options.onFault);
  const filters = new Filters(blindIndex);
  const selection = new Selection(filters);
  const operations = new Operations(filters, new Sealing(keys, blindIndex));
  const opening = new Opening(keys, blindIndex, options.onFault);
  return { models, selection, operations, opening };
}

function queryCallback(
  options: ProtectOptions,
  scopes: KeyScopes,
  { models, selection, operations, opening }: ReturnType<typeof partsOf>,
): (call: QueryCall) => Promise<unknown> {
  const callModel = async (name: string, { operation, args, query, __internalParams: internal }: QueryCall) => {
    const model = models.get(name);
    const connection = scopes.of(internal?.transaction);
    await operations.prepare({ model, operation, args, connection, inBatch: internal?.transaction?.kind === 'batch' });
    const strip = selection.prepare(model, args);
    const direct = isOutsideTransaction(internal) ? options.read?.({ model: name, operation, args }) : undefined;
    const result = await (direct ?? query(args));
    const path = fluentPath(internal?.dataPath);
    await opening.open({ scope: connection, unreadable: options.unreadable?.() }, modelAt(model, path), result);
    stripRows(stripAt(strip, path), result);
    return result;
  };
  return async (call) => {
    const { model, args, query } = call;
    if (model === undefined) return callRaw(call, opening);
    // The keys themselves: sealed by their wrapper, and read by the lookups of every other call.
    return model === 'DataKey' ? query(args) : callModel(model, call);
  };
}

async function callRaw({ operation, args, query }: QueryCall, opening: Opening): Promise<unknown> {
  if (!rawOperations.has(operation))
    throwMisuse('unsupported-operation', `${operation} is not known to field encryption`);
  const result = await query(args);
  opening.sweep(operation, result);
  return result;
}

/** And with nothing called on it. Where Prisma does not tell, nobody knows, and Prisma reads. */
const isOutsideTransaction = (internal: QueryCall['__internalParams']): boolean =>
  internal !== undefined && internal.transaction === undefined && (internal.dataPath ?? []).length === 0;

// `prisma.user.findUnique(...).resources()` arrives as a call on User whose result is already the list of resources;
// the way there is in dataPath: ['select', 'resources'].
const fluentPath = (dataPath: readonly string[] = []): string[] => dataPath.filter((_, at) => at % 2 === 1);

function modelAt(model: Model, path: readonly string[]): Model {
  return path.reduce(
    (at, name) =>
      at.relations.get(name)?.target ?? throwMisuse('unsupported-operation', `${at.name}.${name} is no relation`),
    model,
  );
}

function stripAt(strip: Strip | undefined, path: readonly string[]): Strip | undefined {
  return path.reduce((at, name) => at?.relations.get(name), strip);
}
