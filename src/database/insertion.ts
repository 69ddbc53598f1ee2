import type { StoredRow } from '@nestjs-secure-template/field-encryption';
import { escapeIdentifier as quoted } from 'pg';
import type { Prisma } from '../generated/prisma/client.js';

/** A row of a model, as `create` takes it, without relations. */
export interface NewRow {
  readonly model: Prisma.ModelName;
  readonly data: object;
}

/** What one statement writes: rows of models, which are sealed on the way, or of tables that have none. */
export type Insertion = NewRow | StoredRow;

interface Client {
  $queryRawUnsafe<T>(text: string, ...values: unknown[]): Promise<T>;
  $executeRawUnsafe(text: string, ...values: unknown[]): Promise<number>;
}

/**
 * One statement for all rows, so that all of them are written or none, in one round trip: Prisma would send BEGIN, each
 * row and COMMIT, and wait for each. Names are those of the schema and of the code, quoted; every value is a parameter
 * (ASVS v5.0.0-1.2.4).
 * @param returning columns of the first row: name in the result -> column.
 * @returns undefined when nothing was asked for.
 */
export async function insertRows<T>(
  client: Client,
  [first, ...others]: readonly [StoredRow, ...StoredRow[]],
  returning: Readonly<Record<string, string>>,
): Promise<T | undefined> {
  const values: unknown[] = [];
  const also = others.map((row, at) => `also_${at} AS (${insertOf(row, values)})`);
  const insert = [...(also.length > 0 ? [`WITH ${also.join(', ')}`] : []), insertOf(first, values)].join(' ');
  const wanted = Object.entries(returning).map(([name, column]) => `${quoted(column)} AS ${quoted(name)}`);
  if (wanted.length > 0)
    return (await client.$queryRawUnsafe<T[]>(`${insert} RETURNING ${wanted.join(', ')}`, ...values))[0];
  await client.$executeRawUnsafe(insert, ...values);
  return undefined;
}

function insertOf({ table, columns }: StoredRow, values: unknown[]): string {
  const names = Object.keys(columns);
  const places = names.map((name) => `$${values.push(parameterOf(columns[name]))}`);
  return `INSERT INTO ${quoted(table)} (${names.map(quoted).join(', ')}) VALUES (${places.join(', ')})`;
}

/** What is neither text, number, truth nor time goes into a column of JSON. */
const parameterOf = (value: unknown): unknown =>
  typeof value === 'object' && value !== null && !(value instanceof Date) ? JSON.stringify(value) : value;
