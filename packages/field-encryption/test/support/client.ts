import { join } from 'node:path';
import { PrismaPg } from '@prisma/adapter-pg';
import type { PoolConfig } from 'pg';
import type { FieldMap } from '../../src/index.js';

// The types of the generated client, as far as the tests use them: so nothing has to be generated to check types.

export interface User {
  readonly id: string;
  readonly email: string;
  readonly emailIndex: string | null;
  readonly name: string;
  readonly phone: string | null;
  readonly status: string;
  readonly documents: Document[];
}
export interface Document {
  readonly id: string;
  readonly title: string;
  readonly note: string | null;
  readonly owner: User;
}

/** Related rows can be asked for before the row is there. */
type Fluent<R> = Promise<R> & {
  documents(args?: object): Fluent<Document[]>;
  owner(args?: object): Fluent<User>;
};

interface Table<R> {
  readonly fields: Readonly<Record<string, object>>;
  findUnique(args: object): Fluent<R | null>;
  findUniqueOrThrow(args: object): Fluent<R>;
  findFirst(args: object): Fluent<R | null>;
  findFirstOrThrow(args: object): Fluent<R>;
  findMany(args?: object): Promise<R[]>;
  count(args?: object): Promise<number>;
  aggregate(args: object): Promise<object>;
  groupBy(args: object): Promise<object[]>;
  create(args: object): Fluent<R>;
  createMany(args: object): Promise<{ count: number }>;
  createManyAndReturn(args: object): Promise<R[]>;
  update(args: object): Fluent<R>;
  updateMany(args: object): Promise<{ count: number }>;
  updateManyAndReturn(args: object): Promise<R[]>;
  upsert(args: object): Fluent<R>;
  delete(args: object): Fluent<R>;
  deleteMany(args: object): Promise<{ count: number }>;
}

export interface TestClient {
  readonly user: Table<User>;
  readonly document: Table<Document>;
  readonly passwordCredential: Table<object>;
  readonly registration: Table<object>;
  readonly signingKey: Table<object>;
  readonly dataKey: Table<object>;
  $transaction(steps: readonly Promise<unknown>[]): Promise<unknown[]>;
  $transaction<T>(work: (client: TestClient) => Promise<T>, options?: object): Promise<T>;
  $queryRaw(query: TemplateStringsArray, ...values: unknown[]): Promise<unknown>;
  $queryRawUnsafe(query: string, ...values: unknown[]): Promise<unknown>;
  $executeRaw(query: TemplateStringsArray, ...values: unknown[]): Promise<number>;
  $on(event: 'query', listener: (event: { readonly query: string }) => void): void;
  $disconnect(): Promise<void>;
}

const generated = async <T>(file: string): Promise<T> =>
  (await import(join(import.meta.dirname, '../generated', file))) as T;

const { PrismaClient } = await generated<{ PrismaClient: new (options: object) => TestClient }>('prisma/client.ts');
export const { fieldMap } = await generated<{ fieldMap: FieldMap }>('field-encryption/index.ts');

/** A client without the extension. */
export const plainClient = (connection: PoolConfig): TestClient =>
  new PrismaClient({
    adapter: new PrismaPg(connection),
    transactionOptions: { timeout: 10_000 },
    log: [{ emit: 'event', level: 'query' }],
  });
