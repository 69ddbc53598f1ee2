import { createHash, randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import type { Client, ClientConfig } from 'pg';
import { withClient } from './connection.js';

// Keeps Prisma's own table, checksums and advisory lock, so that `prisma migrate deploy` can take over at any time. Prisma's
// schema engine is a native binary that would have to be downloaded; this needs nothing but the driver.

const directory = new URL('../../prisma/migrations/', import.meta.url);
const prismaAdvisoryLock = 72707369;

interface Migration {
  readonly name: string;
  readonly sql: string;
  readonly checksum: string;
}

/**
 * Applies the migrations that the database has not seen, each in a transaction of its own, one process at a time.
 * @returns the names of the migrations that were applied now.
 * @throws Error when an applied migration was edited or is missing, when an earlier one failed half-way, or when SQL fails.
 */
export async function migrate(connection: ClientConfig, migrations: readonly Migration[] = readMigrations()): Promise<string[]> {
  // A statement of the service must be short; one that rebuilds a large table may take its time.
  return withClient({ ...connection, statement_timeout: 0 }, async (client) => {
    await client.query(`SELECT pg_advisory_lock(${prismaAdvisoryLock})`);
    await client.query(migrationTable);
    const pending = await findPending(client, migrations);
    for (const migration of pending) await apply(client, migration);
    return pending.map((migration) => migration.name);
  });
}

/**
 * @returns the names of the migrations that the database has not seen; needs no right but to read.
 * @throws Error when an applied migration was edited or is missing, or when one failed half-way.
 */
export async function pendingMigrations(client: Client, migrations: readonly Migration[] = readMigrations()): Promise<string[]> {
  const { rows } = await client.query(`SELECT to_regclass('_prisma_migrations') AS found`);
  const pending = rows[0].found === null ? migrations : await findPending(client, migrations);
  return pending.map((migration) => migration.name);
}

/** The migrations of the source tree, oldest first. */
export function readMigrations(source: URL = directory): Migration[] {
  return readdirSync(source, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => {
      const sql = readFileSync(new URL(`${entry.name}/migration.sql`, source), 'utf8');
      return { name: entry.name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
    })
    .toSorted((one, other) => (one.name < other.name ? -1 : 1));
}

async function findPending(client: Client, migrations: readonly Migration[]): Promise<Migration[]> {
  const { rows } = await client.query<{ migration_name: string; checksum: string; finished_at: Date | null }>(
    'SELECT migration_name, checksum, finished_at FROM _prisma_migrations WHERE rolled_back_at IS NULL',
  );
  for (const row of rows) {
    const known = migrations.find((migration) => migration.name === row.migration_name);
    if (known === undefined) throw new Error(`the database has the migration ${row.migration_name}, which this version does not know`);
    if (row.finished_at === null) throw new Error(`the migration ${row.migration_name} failed half-way: mend it with prisma migrate resolve`);
    if (known.checksum !== row.checksum) throw new Error(`the migration ${row.migration_name} was edited after it was applied`);
  }
  const applied = new Set(rows.map((row) => row.migration_name));
  return migrations.filter((migration) => !applied.has(migration.name));
}

async function apply(client: Client, { name, sql, checksum }: Migration): Promise<void> {
  await client.query('BEGIN');
  try {
    await client.query(sql);
    await client.query(
      `INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at, applied_steps_count)
       VALUES ($1, $2, $3, now(), 1)`,
      [randomUUID(), checksum, name],
    );
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK');
    throw new Error(`the migration ${name} failed and was rolled back`, { cause: error });
  }
}

const migrationTable = `CREATE TABLE IF NOT EXISTS _prisma_migrations (
  id varchar(36) PRIMARY KEY NOT NULL,
  checksum varchar(64) NOT NULL,
  finished_at timestamptz,
  migration_name varchar(255) NOT NULL,
  logs text,
  rolled_back_at timestamptz,
  started_at timestamptz NOT NULL DEFAULT now(),
  applied_steps_count integer NOT NULL DEFAULT 0
)`;
