import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { declaresCompatible, migrate, readMigrations } from '../../src/database/migrations.js';
import { runningDatabase, type RunningDatabase } from '../support/databases.js';

const step = (name: string, sql: string) => ({ name, sql, checksum: name });
const known = readMigrations();

const additive = '-- compatible-with-previous: yes\n';

describe('a migration that says that the previous version may run on it [practice 7.1]', () => {
  const declares = (sql: string) => declaresCompatible({ name: 'm', sql: additive + sql });

  it.each([
    'ALTER TABLE users DROP COLUMN phone;',
    'ALTER TABLE users RENAME TO people;',
    'ALTER TABLE users ALTER COLUMN name TYPE bytea;',
    'ALTER TABLE users ADD COLUMN must text NOT NULL;',
    'ALTER TABLE users ADD must text NOT NULL, ADD may text DEFAULT 1;',
    'ALTER TABLE users ADD CONSTRAINT c CHECK (true);',
    'drop table users;',
    'CREATE UNIQUE INDEX i ON users (name);',
    'TRUNCATE users;',
    'REVOKE ALL ON users FROM app;',
  ])('holds %s: refused', (sql) => {
    expect(() => declares(sql)).toThrow('the migration m says "compatible-with-previous", and holds');
  });

  it.each([
    'CREATE TABLE notes (id uuid PRIMARY KEY, title text NOT NULL UNIQUE);',
    'ALTER TABLE users ADD COLUMN may text;',
    'CREATE INDEX i ON users (id);',
    "ALTER TABLE users ADD COLUMN has text NOT NULL DEFAULT '';",
    'CREATE TABLE a (id int); -- later: DROP TABLE b',
    'DROP INDEX i;',
  ])('holds %s: it is believed', (sql) => {
    expect(declares(sql)).toBe(true);
  });

  it('does not say so, or not in its first line: it is not taken for one', () => {
    expect(declaresCompatible({ name: 'm', sql: 'CREATE TABLE a (id int);' })).toBe(false);
    expect(declaresCompatible({ name: 'm', sql: `SELECT 1;\n${additive}` })).toBe(false);
  });

  it('every migration of the source that says so only adds', () => {
    for (const migration of known) expect(() => declaresCompatible(migration)).not.toThrow();
  });
});

describe('migrations [practice 7.1]', () => {
  let database: RunningDatabase;
  let connection: pg.ClientConfig;

  beforeAll(async () => {
    database = await runningDatabase();
    ({ connection } = database);
  });
  afterEach(() =>
    rows(`DROP TABLE IF EXISTS theirs; ALTER TABLE users DROP COLUMN IF EXISTS nickname;
      DELETE FROM _prisma_migrations WHERE migration_name LIKE '9%'`),
  );
  afterAll(() => database.drop());

  const rows = async (sql: string) => {
    const client = new pg.Client(connection);
    await client.connect();
    try {
      return (await client.query(sql)).rows as unknown[];
    } finally {
      await client.end();
    }
  };

  it('a second run applies nothing', async () => {
    expect(await migrate(connection)).toEqual([]);
  });

  it('a migration fails in the middle: nothing of it stays, and the message names it', async () => {
    const broken = step('90000000000000_broken', 'CREATE TABLE half (id int); SELECT no_such_function();');
    await expect(migrate(connection, [...known, broken])).rejects.toThrow(
      '90000000000000_broken failed and was rolled back',
    );
    expect(await rows(`SELECT 1 FROM pg_tables WHERE tablename = 'half'`)).toEqual([]);
  });

  it('an applied migration was edited, or is gone: refused', async () => {
    const edited = known.map((migration) => ({ ...migration, checksum: 'edited' }));
    await expect(migrate(connection, edited)).rejects.toThrow('was edited after it was applied');
    await expect(migrate(connection, [])).rejects.toThrow(
      'which this version does not know and which does not say "compatible-with-previous"',
    );
  });

  it('a newer version is taken back: the older one starts on a migration that only adds, and on no other', async () => {
    await migrate(connection, [
      ...known,
      step('90000000000002_adds', `${additive}ALTER TABLE users ADD COLUMN nickname text;`),
    ]);
    expect(await migrate(connection)).toEqual([]);
    await migrate(connection, [
      ...known,
      step('90000000000002_adds', `${additive}ALTER TABLE users ADD COLUMN nickname text;`),
      step('90000000000003_changes', 'SELECT 1;'),
    ]);
    await expect(migrate(connection)).rejects.toThrow(
      'the migration 90000000000003_changes, which this version does not know',
    );
  });

  it('a database with a newer migration lacks one of this version: refused', async () => {
    await migrate(connection, [...known, step('90000000000004_theirs', `${additive}CREATE TABLE theirs (id int);`)]);
    await expect(migrate(connection, [...known, step('90000000000003_ours', 'SELECT 1;')])).rejects.toThrow(
      'no successors of each other',
    );
  });

  it('a migration says that it only adds, and does not: refused, and nothing of it stays', async () => {
    const liar = step(
      '90000000000005_lies',
      `${additive}CREATE TABLE half (id int); ALTER TABLE users DROP COLUMN phone;`,
    );
    await expect(migrate(connection, [...known, liar])).rejects.toThrow(
      '90000000000005_lies says "compatible-with-previous", and holds DROP',
    );
    expect(await rows(`SELECT 1 FROM pg_tables WHERE tablename = 'half'`)).toEqual([]);
  });
});
