import { createHash, randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import type { Client, ClientConfig } from 'pg';
import { withClient } from './connection.js';
import { timeLimits } from './session.js';

// Keeps Prisma's own table, checksums and advisory lock, so that `prisma migrate deploy` can take over at any time.
// Prisma's schema engine is a native binary that would have to be downloaded; this needs nothing but the driver.

const directory = new URL('../../prisma/migrations/', import.meta.url);
const prismaAdvisoryLock = 72707369;

/**
 * The first line of a migration on which the previous version of the service can run: it only adds what that version
 * does not see. The word is kept in the column `logs` of Prisma's table, because an older version has not the file;
 * Prisma fills the column for failed migrations only.
 */
const compatible = 'compatible-with-previous';
const compatibleHeader = `-- ${compatible}: yes\n`;

/** What the previous version may trip over, whatever the first line says. */
const incompatible = [
  /\b(DROP\s+(?!INDEX)|(RENAME|TRUNCATE|REVOKE|ALTER\s+COLUMN|CREATE\s+UNIQUE)\b)/i,
  /\bADD\s+(CONSTRAINT|CHECK|UNIQUE|PRIMARY|FOREIGN|EXCLUDE)\b/i,
  /\bADD\s+(?![^,;]*\bDEFAULT\b)[^,;]*\bNOT\s+NULL\b/i,
  /\bCREATE\s+(OR\s+REPLACE\s+)?TRIGGER\b/i,
];

interface Migration {
  readonly name: string;
  readonly sql: string;
  readonly checksum: string;
}

/** How the owner hears what takes time, or is unusual, before there is a log. */
const tell = (line: string): void => void process.stderr.write(`${line}\n`);

/**
 * Applies the migrations that the database has not seen, each in a transaction of its own, one process at a time.
 * @returns the names of the migrations that were applied now.
 * @throws Error when an applied migration was edited, or is of a newer version and not compatible, when one failed
 * half-way, or when SQL fails.
 */
export async function migrate(
  connection: ClientConfig,
  migrations: readonly Migration[] = readMigrations(),
): Promise<string[]> {
  // A statement of the service must be short; one that rebuilds a large table may take its time.
  return withClient({ ...connection, statement_timeout: 0 }, async (client) => {
    const { rows } = await client.query<{ free: boolean }>(
      `SELECT pg_try_advisory_lock(${prismaAdvisoryLock}) AS free`,
    );
    if (rows[0]?.free !== true) {
      tell(waiting);
      // The limit is for the locks of tables: to wait there for long would make everybody else wait too. Here nobody
      // waits behind us.
      await client.query(
        `SET lock_timeout = 0; SELECT pg_advisory_lock(${prismaAdvisoryLock}); ` +
          `SET lock_timeout = ${timeLimits.lock_timeout}`,
      );
    }
    await client.query(migrationTable);
    const pending = await findPending(client, migrations);
    for (const migration of pending) await apply(client, migration);
    return pending.map((migration) => migration.name);
  });
}

const waiting = 'another process applies migrations to the database: waiting until it is done';

/** Waits until nobody applies migrations; needs no right. */
export async function waitForMigrations(connection: ClientConfig): Promise<void> {
  await withClient({ ...connection, statement_timeout: 0, lock_timeout: 0 }, async (client) => {
    const { rows } = await client.query<{ free: boolean }>(
      `SELECT pg_try_advisory_xact_lock_shared(${prismaAdvisoryLock}) AS free`,
    );
    if (rows[0]?.free === true) return;
    tell(waiting);
    // One statement, and so one transaction: the lock goes with it, also behind a pooler.
    await client.query(`SELECT pg_advisory_xact_lock_shared(${prismaAdvisoryLock})`);
  });
}

/**
 * @returns the names of the migrations that the database has not seen; needs no right but to read.
 * @throws Error when an applied migration was edited, or is of a newer version and not compatible, or when one failed
 * half-way.
 */
export async function pendingMigrations(
  client: Client,
  migrations: readonly Migration[] = readMigrations(),
): Promise<string[]> {
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
  const { rows } = await client.query<Applied>(
    'SELECT migration_name, checksum, finished_at, logs FROM _prisma_migrations WHERE rolled_back_at IS NULL',
  );
  for (const row of rows) {
    const known = migrations.find((migration) => migration.name === row.migration_name);
    if (row.finished_at === null)
      throw new Error(`the migration ${row.migration_name} failed half-way: mend it with prisma migrate resolve`);
    if (known !== undefined && known.checksum !== row.checksum)
      throw new Error(`the migration ${row.migration_name} was edited after it was applied`);
  }
  const applied = new Set(rows.map((row) => row.migration_name));
  const pending = migrations.filter((migration) => !applied.has(migration.name));
  const names = new Set(migrations.map(({ name }) => name));
  assertNoneBreaksThisVersion(
    rows.filter((row) => !names.has(row.migration_name)),
    pending,
  );
  return pending;
}

interface Applied {
  readonly migration_name: string;
  readonly checksum: string;
  readonly finished_at: Date | null;
  readonly logs: string | null;
}

/**
 * After a newer version was taken back, its migrations are still there: this one runs on them if each says that it may.
 */
function assertNoneBreaksThisVersion(newer: readonly Applied[], pending: readonly Migration[]): void {
  for (const { migration_name: name, logs } of newer) {
    const what = `the database has the migration ${name}, which this version does not know`;
    if (logs !== compatible)
      throw new Error(
        `${what} and which does not say "${compatible}": start the version that brought it, or a newer one`,
      );
    if (pending.length > 0)
      throw new Error(`${what}, and lacks ${pending[0]?.name}: the two versions are no successors of each other`);
    tell(`${what}; it says that the previous version may run on it`);
  }
}

/** @throws Error when a migration calls itself compatible and holds words that are not. */
export function declaresCompatible({ name, sql }: Pick<Migration, 'name' | 'sql'>): boolean {
  if (!sql.startsWith(compatibleHeader)) return false;
  const statements = sql.replaceAll(/--.*$/gm, '');
  const found = incompatible.map((pattern) => pattern.exec(statements)?.[0]).find((text) => text !== undefined);
  if (found !== undefined)
    throw new Error(
      `the migration ${name} says "${compatible}", and holds ${found.trim()}: take the line away, or split it`,
    );
  return true;
}

async function apply(client: Client, migration: Migration): Promise<void> {
  const { name, sql, checksum } = migration;
  const logs = declaresCompatible(migration) ? compatible : null;
  await client.query('BEGIN');
  try {
    await client.query(sql);
    await client.query(
      `INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at, applied_steps_count, logs)
       VALUES ($1, $2, $3, now(), 1, $4)`,
      [randomUUID(), checksum, name, logs],
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
