// What the bare and the textbook app share: the listener of the service, and the database as it is without field
// encryption.
import type { Type, DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { PrismaPg } from '@prisma/adapter-pg';
import type { FastifyServerOptions } from 'fastify';
import pg from 'pg';
import type { Config } from '../../src/config/index.js';
import { connectionOptions } from '../../src/database/connection.js';
import { startEmbedded } from '../../src/database/embedded.js';
import { migrate } from '../../src/database/migrations.js';
import { PrismaClient } from '../../src/generated/prisma/client.js';
import { listenerOptions, loadTls } from '../../src/security/transport/index.js';
import { callerVariable, ownerQuota, person, resource, resourceCount, type Caller } from '../fixture.js';

export const caller = JSON.parse(process.env[callerVariable] ?? '{}') as Caller;

export interface PlainDatabase {
  readonly client: PrismaClient;
  close(): Promise<void>;
}

/**
 * The same database and pool as the service has, with an unprotected client. @param drop what this app does without.
 */
export async function openPlainDatabase(config: Config, drop: readonly string[] = []): Promise<PlainDatabase> {
  const embedded = config.databaseUrl === undefined ? await startEmbedded(config.dataDirectory) : undefined;
  const connection = connectionOptions(config, embedded?.socketDirectory);
  await migrate(connection);
  await dropProtections(connection, drop);
  const client = new PrismaClient({
    adapter: new PrismaPg(connection),
    transactionOptions: { maxWait: 5_000, timeout: 10_000 },
  });
  const close = async () => {
    await client.$disconnect();
    await embedded?.close();
  };
  return { client, close };
}

/**
 * Among them the constraints that hold columns to the service's own cells: here they take clear text, or cells of
 * another form.
 */
async function dropProtections(connection: pg.ClientConfig, statements: readonly string[]): Promise<void> {
  const client = new pg.Client(connection);
  await client.connect();
  try {
    const { rows } = await client.query<{ statement: string }>(`
      SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) AS statement
      FROM pg_constraint WHERE contype = 'c' AND pg_get_constraintdef(oid) LIKE '%is_sealed_cell%'`);
    for (const statement of [...rows.map((row) => row.statement), ...statements]) await client.query(statement);
  } finally {
    await client.end();
  }
}

/** The user, the session and the resources of every app. @param seal what the app makes of personal data. */
export async function seed(client: PrismaClient, seal: (text: string) => string): Promise<void> {
  const { userId: id, sessionId } = caller;
  const now = new Date();
  const expiresAt = new Date(now.getTime() + 24 * 60 * 60 * 1000);
  await client.user.create({
    data: { id, email: seal(person.email), name: seal(person.name), phone: seal(person.phone) },
  });
  await client.session.create({
    data: { id: sessionId, userId: id, refreshedAt: now, authenticatedAt: now, methods: ['pwd'], expiresAt },
  });
  const rows = Array.from({ length: resourceCount }, () => ({
    ...resource,
    ownerId: id,
    ownerQuota,
    note: seal(resource.note),
  }));
  await client.resource.createMany({ data: rows });
}

type HttpsOptions = FastifyServerOptions & { readonly https: object };

/** Listens as the service does: the same certificate, ciphers and bounds of the parser; nothing else of its options. */
export async function createPlainApp(
  module: Type | DynamicModule,
  config: Config,
  options: FastifyServerOptions = {},
): Promise<NestFastifyApplication> {
  const { https } = listenerOptions(await loadTls(config), { frameworkErrors: unused, clientErrorHandler: unused });
  const adapter = new FastifyAdapter({ ...options, https } as HttpsOptions);
  return NestFactory.create<NestFastifyApplication>(module, adapter, { logger: ['warn', 'error', 'fatal'] });
}

const unused = (): void => undefined;

/** Listens until SIGTERM. */
export async function serve(app: NestFastifyApplication, config: Config, database: PlainDatabase): Promise<void> {
  const stop = async () => {
    await app.close();
    await database.close();
    process.exit(0);
  };
  process.once('SIGTERM', () => void stop());
  await app.listen({ port: config.httpsPort, host: config.host });
}
