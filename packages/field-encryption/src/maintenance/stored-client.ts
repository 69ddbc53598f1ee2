import type { Args, Model } from '../extension/models.js';
import type { DataKeyRow, DataKeyTable } from '../keys/data-keys.js';

/** The part of a Prisma delegate that maintenance uses. */
export interface Delegate {
  findMany(args: object): PromiseLike<Args[]>;
  updateMany(args: object): PromiseLike<{ count: number }>;
  count(args: object): PromiseLike<number>;
}

export interface DatedKeyRow extends DataKeyRow {
  readonly createdAt: Date;
}

/** The table of data keys, as maintenance uses it. */
export interface KeyTable extends DataKeyTable {
  findMany(args: object): PromiseLike<DatedKeyRow[]>;
  updateMany(args: object): PromiseLike<{ count: number }>;
  updateManyAndReturn(args: object): PromiseLike<DatedKeyRow[]>;
  deleteMany(args: object): PromiseLike<{ count: number }>;
  count(args: object): PromiseLike<number>;
}

/** A Prisma client without the extension: it reads and writes cells as they are stored. */
export interface StoredClient {
  readonly dataKey: KeyTable;
  $transaction<T>(work: (client: StoredClient) => Promise<T>): Promise<T>;
  $executeRaw(query: TemplateStringsArray, ...values: unknown[]): PromiseLike<number>;
}

export const delegateOf = (client: StoredClient, { delegate }: Model): Delegate =>
  (client as unknown as Record<string, Delegate>)[delegate] as Delegate;

export const pageRows = 500;

/**
 * All rows of a table in the order of its primary key, a page at a time: memory stays flat, and no row is passed twice.
 */
export async function* pagesOf<Row extends object>(
  table: { findMany(args: object): PromiseLike<Row[]> },
  { id, where = {}, ...args }: { id: string; where?: object; select?: object; take?: number },
): AsyncGenerator<Row[]> {
  for (let last: unknown; ;) {
    const after = last === undefined ? where : { AND: [where, { [id]: { gt: last } }] };
    const rows = await table.findMany({ take: pageRows, ...args, where: after, orderBy: { [id]: 'asc' } });
    if (rows.length === 0) return;
    last = (rows.at(-1) as Args)[id];
    yield rows;
  }
}
