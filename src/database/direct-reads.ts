import type { DirectRead, FieldMap, ModelFields } from '@nestjs-secure-template/field-encryption';
import { escapeIdentifier as quoted, type Pool } from 'pg';

// Prisma's client takes half the processor time of a short read: it compiles the call, and copies every value. Plain
// reads are written here: a row or a page of one table, by the conditions that policies and pages are made of. What is
// not plain, or not understood, is left to Prisma; no call is ever half understood.

type Args = Readonly<Record<string, unknown>>;
type StatementName = (statement: { readonly sql: string; readonly args: readonly unknown[] }) => string;

/** Answers plain reads by one statement on a connection of the pool. The name is that of a prepared statement. */
export function directReads(connections: Pool, fields: FieldMap, statementName: StatementName | undefined): DirectRead {
  return ({ model, operation, args }) => {
    const statement = statementOf(fields, model, operation, args);
    if (statement === undefined) return undefined;
    const { text, values } = statement;
    const name = statementName?.({ sql: text, args: values });
    const rows = connections.query<Args>({ name, text, values: [...values] }).then((result) => result.rows);
    return operation === 'findMany' ? rows : rows.then(([row]) => row ?? null);
  };
}

/** Of any other type, and of the wrong one, Prisma thinks. */
const isValue: ReadonlyMap<string, (value: unknown) => boolean> = new Map([
  ['String', (value) => typeof value === 'string'],
  ['String Uuid', (value) => typeof value === 'string'],
  ['Int', Number.isSafeInteger],
  ['Boolean', (value) => typeof value === 'boolean'],
  ['DateTime Timestamptz', (value) => value instanceof Date && !Number.isNaN(value.getTime())],
]);
const withOptional = (types: readonly string[]): ReadonlySet<string> =>
  new Set(types.flatMap((type) => [type, `${type}?`]));
/** What comes out of JSON as it went in. */
const readableInJson = withOptional(['String', 'String Uuid', 'Int', 'Boolean']);
/** What the driver gives as Prisma does. A time without zone it takes for one of the machine's zone, for example. */
const readable = withOptional([...isValue.keys(), 'String[]']);
const operations = new Set(['findUnique', 'findFirst', 'findMany']);
const parts = new Set(['where', 'select', 'orderBy', 'take']);
const signs: ReadonlyMap<string, string> = new Map([
  ['equals', '='],
  ['lt', '<'],
  ['lte', '<='],
  ['gt', '>'],
  ['gte', '>='],
]);

/** Thrown on the way, and caught where the way began: Prisma reads this one. */
const notPlain = new Error('not plain');

/**
 * The read as SQL. Names are those of the schema, quoted; every value is a parameter (ASVS v5.0.0-1.2.4).
 * @returns undefined for what is Prisma's to read, or to refuse.
 */
export function statementOf(
  fields: FieldMap,
  model: string,
  operation: string,
  args: Args,
): { readonly text: string; readonly values: readonly unknown[] } | undefined {
  if (!operations.has(operation) || Object.keys(args).some((name) => !parts.has(name))) return undefined;
  try {
    return new Statement(fields).read(model, operation, args);
  } catch (error) {
    if (error === notPlain) return undefined;
    throw error;
  }
}

type Wanted = readonly [name: string, value: unknown];

/** A table in the statement, by the name that it has there. */
interface Table {
  readonly model: ModelFields;
  readonly alias: string;
}

class Statement {
  private readonly values: unknown[] = [];
  private tables = 0;

  constructor(private readonly fields: FieldMap) {}

  read(model: string, operation: string, args: Args) {
    const table = this.table(model);
    const { where, select, orderBy, take } = args;
    const isOne = operation !== 'findMany';
    if (isOne && take !== undefined) throw notPlain;
    if (operation === 'findUnique') assertById(table, args);
    const order = orderOf(table, orderBy);
    // Prisma pages by the id then.
    if (take !== undefined && order.length === 0) throw notPlain;
    const text = [
      `SELECT ${this.columns(table, select)} FROM ${nameOf(table)}`,
      ...this.where(table, given(where)),
      ...order,
      ...(isOne ? ['LIMIT 1'] : this.limit(take)),
    ].join(' ');
    return { text, values: this.values };
  }

  private columns(table: Table, select: unknown): string {
    const all = () => Object.keys(table.model.columns).map((name): Wanted => [name, true]);
    const wanted = select === undefined ? all() : wantedOf(select);
    const columns = wanted.map(([name, value]) => {
      const column = value === true ? columnOf(table, name, readable) : this.related(table, name, value);
      return `${column} AS ${quoted(name)}`;
    });
    return columns.join(', ');
  }

  /** `shares: { where, select }`: with the row, as JSON. */
  private related(table: Table, name: string, value: unknown): string {
    if (!isObject(value) || Object.keys(value).toSorted().join() !== 'select,where') throw notPlain;
    const { far, links } = this.join(table, name);
    const pairs = wantedOf(value['select']).map(([field, taken]) => {
      if (taken !== true) throw notPlain;
      return `'${field}', ${columnOf(far, field, readableInJson)}`;
    });
    const rows = `coalesce(json_agg(json_build_object(${pairs.join(', ')})), '[]')`;
    return `(SELECT ${rows} FROM ${nameOf(far)} WHERE ${links} AND ${this.condition(far, value['where'])})`;
  }

  private where(table: Table, where: unknown): string[] {
    const isEverything = where === undefined || (isObject(where) && Object.keys(where).length === 0);
    return isEverything ? [] : [`WHERE ${this.condition(table, where)}`];
  }

  /** One that is empty means everything in some places and nothing in others: Prisma knows. */
  private condition(table: Table, where: unknown): string {
    if (!isObject(where) || Object.keys(where).length === 0) throw notPlain;
    const all = Object.entries(where).map(([name, value]) => {
      if (name === 'AND' || name === 'OR') return this.combination(table, name, value);
      return Object.hasOwn(table.model.columns, name)
        ? this.comparison(table, name, value)
        : this.exists(table, name, value);
    });
    return all.join(' AND ');
  }

  private combination(table: Table, word: string, value: unknown): string {
    if (word === 'OR' && !Array.isArray(value)) throw notPlain;
    const list = listOf(value);
    if (list.length === 0) throw notPlain;
    return `(${list.map((part) => `(${this.condition(table, part)})`).join(` ${word} `)})`;
  }

  private comparison(table: Table, name: string, value: unknown): string {
    const column = columnOf(table, name);
    const type = table.model.types[name];
    if (!isObject(value)) return this.equality(column, type, value);
    const compared = Object.entries(value).map(([operator, operand]) => {
      if (operator === 'equals') return this.equality(column, type, operand);
      if (operator === 'not' && operand === null) return `${column} IS NOT ${nullOf(type)}`;
      if (operator === 'in' && Array.isArray(operand)) return `${column} = ANY (${this.list(type, operand)})`;
      const sign = signs.get(operator);
      if (sign === undefined) throw notPlain;
      return `${column} ${sign} ${this.parameter(type, operand)}`;
    });
    if (compared.length === 0) throw notPlain;
    return compared.join(' AND ');
  }

  private equality(column: string, type: string | undefined, value: unknown): string {
    return value === null ? `${column} IS ${nullOf(type)}` : `${column} = ${this.parameter(type, value)}`;
  }

  /** `shares: { some: { … } }`: the way that policies ask for a relation. */
  private exists(table: Table, name: string, value: unknown): string {
    if (!isObject(value) || Object.keys(value).join() !== 'some') throw notPlain;
    const { far, links } = this.join(table, name);
    return `EXISTS (SELECT FROM ${nameOf(far)} WHERE ${links} AND ${this.condition(far, value['some'])})`;
  }

  /** The far end of a relation to many rows, and the condition that links it to this one. */
  private join(table: Table, name: string): { far: Table; links: string } {
    const relation = Object.hasOwn(table.model.relations, name) ? table.model.relations[name] : undefined;
    if (relation?.list !== true || Object.keys(relation.links).length === 0) throw notPlain;
    const far = this.table(relation.model);
    const links = Object.entries(relation.links).map(
      ([theirs, own]) => `${columnOf(far, theirs)} = ${columnOf(table, own)}`,
    );
    return { far, links: links.join(' AND ') };
  }

  private limit(take: unknown): string[] {
    if (take === undefined) return [];
    if (!Number.isSafeInteger(take) || (take as number) < 0) throw notPlain;
    return [`LIMIT $${this.values.push(take)}`];
  }

  private parameter(type: string | undefined, value: unknown): string {
    if (!fits(type, value)) throw notPlain;
    return `$${this.values.push(value)}`;
  }

  private list(type: string | undefined, list: readonly unknown[]): string {
    if (!listOf(list).every((value) => fits(type, value))) throw notPlain;
    return `$${this.values.push(list)}`;
  }

  private table(name: string): Table {
    const model = Object.hasOwn(this.fields, name) ? this.fields[name] : undefined;
    if (model === undefined) throw notPlain;
    return { model, alias: `t${this.tables++}` };
  }
}

const fits = (type: string | undefined, value: unknown): boolean =>
  isValue.get(type?.replace('?', '') ?? '')?.(value) === true;

/** @throws notPlain for a field that is never null, or a list: Prisma refuses to ask. */
function nullOf(type: string | undefined): string {
  if (type?.endsWith('?') !== true || !isValue.has(type.slice(0, -1))) throw notPlain;
  return 'NULL';
}

/** One row by its id, and by nothing that could mean another: no operator, no other key, no order. */
function assertById({ model }: Table, { where, orderBy }: Args): void {
  const id = isObject(where) && model.id !== null ? where[model.id] : undefined;
  if (typeof id !== 'string' || orderBy !== undefined) throw notPlain;
}

function columnOf({ model, alias }: Table, name: string, types?: ReadonlySet<string>): string {
  const column = Object.hasOwn(model.columns, name) ? model.columns[name] : undefined;
  if (column === undefined || types?.has(model.types[name] ?? '') === false) throw notPlain;
  return `${alias}.${quoted(column)}`;
}

function wantedOf(select: unknown): Wanted[] {
  const wanted = isObject(select)
    ? Object.entries(select).filter(([, value]) => value !== undefined && value !== false)
    : [];
  if (wanted.length === 0) throw notPlain;
  return wanted;
}

function orderOf(table: Table, orderBy: unknown): string[] {
  if (orderBy === undefined) return [];
  const keys = listOf(orderBy).map((part) => {
    const [[name, direction] = ['', ''], ...others] = isObject(part) ? Object.entries(part) : [];
    if (others.length > 0 || (direction !== 'asc' && direction !== 'desc')) throw notPlain;
    return `${columnOf(table, name)} ${direction}`;
  });
  return keys.length === 0 ? [] : [`ORDER BY ${keys.join(', ')}`];
}

/** Without holes, which `map` and `every` would pass by. */
const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? Array.from(value as unknown[]) : [value]);

/** Prisma leaves out a condition that is undefined, such as the id of a first page: here, and nowhere deeper. */
const given = (where: unknown): unknown =>
  isObject(where) ? Object.fromEntries(Object.entries(where).filter(([, value]) => value !== undefined)) : where;

function isObject(value: unknown): value is Args {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

const nameOf = ({ model, alias }: Table): string => `${quoted(model.table)} ${alias}`;
