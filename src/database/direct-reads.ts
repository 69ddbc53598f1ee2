import type { DirectRead, FieldMap, ModelFields } from '@nestjs-secure-template/field-encryption';
import type { Pool } from 'pg';

// Prisma's client takes half the processor time of a short read: it compiles the call, and copies every value. Plain
// reads are written here: a row or a page of one table, by the conditions that policies and pages are made of. What is
// not plain, or not understood, is left to Prisma; no call is ever half understood.

type Args = Readonly<Record<string, unknown>>;
type StatementName = (statement: { readonly sql: string; readonly args: readonly unknown[] }) => string;

/** Answers plain reads by one statement on a connection of the pool. The name is that of a prepared statement. */
export function directReads(connections: Pool, fields: FieldMap, nameOf: StatementName | undefined): DirectRead {
  return ({ model, operation, args }) => {
    const statement = statementOf(fields, model, operation, args);
    if (statement === undefined) return undefined;
    const { text, values } = statement;
    const name = nameOf?.({ sql: text, args: values });
    const rows = connections.query<Args>({ name, text, values: [...values] }).then((result) => result.rows);
    return operation === 'findMany' ? rows : rows.then(([row]) => row ?? null);
  };
}

/** What the driver gives as Prisma does. A time without zone it takes for one of the machine's zone, for example. */
const readableTypes = ['String', 'String Uuid', 'Int', 'Boolean', 'DateTime Timestamptz', 'String[]'];
const readable: ReadonlySet<string | undefined> = new Set(readableTypes);
const operations = new Set(['findUnique', 'findFirst', 'findMany']);
const parts = new Set(['where', 'select', 'orderBy', 'take']);

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
    return new Statement(fields).read(modelIn(fields, model), operation, args);
  } catch (error) {
    if (error === notPlain) return undefined;
    throw error;
  }
}

class Statement {
  private readonly values: unknown[] = [];
  private tables = 0;

  constructor(private readonly fields: FieldMap) {}

  read(model: ModelFields, operation: string, { where, select, orderBy, take }: Args) {
    const isMany = operation === 'findMany';
    const table = this.alias();
    const text = [
      `SELECT ${columnsOf(model, select, table)} FROM ${quoted(model.table)} ${table}`,
      ...this.where(model, table, operation === 'findUnique' ? where : given(where)),
      ...order(model, table, orderBy),
      ...(isMany ? this.limit(take) : ['LIMIT 1']),
    ].join(' ');
    return { text, values: this.values };
  }

  private where(model: ModelFields, table: string, where: unknown): string[] {
    return where === undefined || (isObject(where) && isEmpty(where))
      ? []
      : [`WHERE ${this.condition(model, table, where)}`];
  }

  /** One that is empty means everything in some places and nothing in others: Prisma knows. */
  private condition(model: ModelFields, table: string, where: unknown): string {
    if (!isObject(where) || isEmpty(where)) throw notPlain;
    const all = Object.entries(where).map(([name, value]) => {
      if (name === 'AND' || name === 'OR') return this.combination(model, table, name, value);
      return Object.hasOwn(model.columns, name)
        ? this.comparison(model, table, name, value)
        : this.exists(model, table, name, value);
    });
    return all.join(' AND ');
  }

  private combination(model: ModelFields, table: string, word: string, value: unknown): string {
    const list = Array.isArray(value) ? value : [value];
    if (list.length === 0) throw notPlain;
    return `(${list.map((part) => `(${this.condition(model, table, part)})`).join(` ${word} `)})`;
  }

  private comparison(model: ModelFields, table: string, name: string, value: unknown): string {
    const column = `${table}.${quoted(model.columns[name] ?? '')}`;
    const type = model.types[name];
    if (value === null) return `${column} IS NULL`;
    if (!isObject(value)) return `${column} = ${this.parameter(type, value)}`;
    const compared = Object.entries(value).map(([operator, operand]) => {
      if (operator === 'in' && Array.isArray(operand)) return `${column} = ANY (${this.list(type, operand)})`;
      if (operator === 'not' && operand === null) return `${column} IS NOT NULL`;
      if (operator === 'equals' && operand === null) return `${column} IS NULL`;
      const sign = Object.hasOwn(signs, operator) ? signs[operator] : undefined;
      if (sign === undefined) throw notPlain;
      return `${column} ${sign} ${this.parameter(type, operand)}`;
    });
    if (compared.length === 0) throw notPlain;
    return compared.join(' AND ');
  }

  /** `shares: { some: { … } }`: the way that policies ask for a relation. */
  private exists(model: ModelFields, table: string, name: string, value: unknown): string {
    const relation = Object.hasOwn(model.relations, name) ? model.relations[name] : undefined;
    if (relation?.list !== true || !isObject(value) || Object.keys(value).join() !== 'some') throw notPlain;
    const other = modelIn(this.fields, relation.model);
    const far = this.alias();
    const links = Object.entries(relation.links).map(([theirs, own]) => {
      const [there, here] = [other.columns[theirs], model.columns[own]];
      if (there === undefined || here === undefined) throw notPlain;
      return `${far}.${quoted(there)} = ${table}.${quoted(here)}`;
    });
    if (links.length === 0) throw notPlain;
    const found = [...links, this.condition(other, far, value['some'])].join(' AND ');
    return `EXISTS (SELECT FROM ${quoted(other.table)} ${far} WHERE ${found})`;
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
    if (!list.every((value) => fits(type, value))) throw notPlain;
    return `$${this.values.push(list)}`;
  }

  private alias(): string {
    return `t${this.tables++}`;
  }
}

const signs: Readonly<Record<string, string>> = { equals: '=', lt: '<', lte: '<=', gt: '>', gte: '>=' };

/** Of any other type, and of the wrong one, Prisma thinks. */
function fits(type: string | undefined, value: unknown): boolean {
  if (type === 'String' || type === 'String Uuid') return typeof value === 'string';
  if (type === 'Int') return Number.isSafeInteger(value);
  if (type === 'Boolean') return typeof value === 'boolean';
  return type === 'DateTime Timestamptz' && value instanceof Date;
}

function columnsOf({ columns, types }: ModelFields, select: unknown, table: string): string {
  const names = select === undefined ? Object.keys(columns) : selected(select);
  if (names.length === 0 || !names.every((name) => Object.hasOwn(columns, name) && readable.has(types[name])))
    throw notPlain;
  return names.map((name) => `${table}.${quoted(columns[name] ?? '')} AS ${quoted(name)}`).join(', ');
}

function selected(select: unknown): string[] {
  if (!isObject(select)) throw notPlain;
  return Object.entries(select).flatMap(([name, value]) => {
    if (typeof value === 'boolean') return value ? [name] : [];
    if (value === undefined) return [];
    throw notPlain;
  });
}

function order({ columns }: ModelFields, table: string, orderBy: unknown): string[] {
  if (orderBy === undefined) return [];
  const list: unknown[] = Array.isArray(orderBy) ? orderBy : [orderBy];
  const keys = list.map((part) => {
    const [[name, direction] = ['', ''], ...others] = isObject(part) ? Object.entries(part) : [];
    if (others.length > 0 || !Object.hasOwn(columns, name) || (direction !== 'asc' && direction !== 'desc'))
      throw notPlain;
    return `${table}.${quoted(columns[name] ?? '')} ${direction === 'asc' ? 'ASC' : 'DESC'}`;
  });
  return keys.length === 0 ? [] : [`ORDER BY ${keys.join(', ')}`];
}

/** Prisma leaves out a condition that is undefined, such as the id of a first page: here, and nowhere deeper. */
const given = (where: unknown): unknown =>
  isObject(where) ? Object.fromEntries(Object.entries(where).filter(([, value]) => value !== undefined)) : where;

function modelIn(fields: FieldMap, name: string): ModelFields {
  const model = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (model === undefined) throw notPlain;
  return model;
}

function isObject(value: unknown): value is Args {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

const isEmpty = (value: Args): boolean => Object.keys(value).length === 0;

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
