import { readFileSync } from 'node:fs';
import { Client, type PoolConfig } from 'pg';
import { runningDatabase } from '../../../../test/support/databases.js';

// Where the database of these tests comes from. The only file of the package that knows the project around it.

const root = new URL('../../', import.meta.url);

export interface TestDatabase {
  readonly connection: PoolConfig;
  /** For files. */
  readonly directory: string;
  /** Not through the extension: what the attacker with the database has. */
  readonly sql: Client;
  close(): Promise<void>;
}

const tables = ['sql/data-keys.sql', 'test/support/tables.sql'].map((file) =>
  readFileSync(new URL(file, root), 'utf8'),
);

/** The package's own tables and those of the tests: embedded, or on the server of the services profile. */
export async function openDatabase(): Promise<TestDatabase> {
  const { url, connection, dataDirectory, drop } = await runningDatabase(
    ['DROP SCHEMA public CASCADE', 'CREATE SCHEMA public', ...tables].join(';\n'),
  );
  const sql = new Client(connection);
  await sql.connect();
  return {
    connection: { ...connection, max: url === undefined ? 1 : 5 },
    directory: dataDirectory,
    sql,
    async close() {
      await sql.end();
      await drop();
    },
  };
}
