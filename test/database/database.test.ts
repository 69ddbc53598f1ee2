import { rmSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { declaresCompatible, migrate, readMigrations, waitForMigrations } from '../../src/database/migrations.js';
import { startEmbedded, type EmbeddedDatabase } from '../../src/database/embedded.js';
import { freshDatabase, type TestDatabase } from '../support/databases.js';
import { profile } from '../support/profile.js';

const step = (name: string, sql: string) => ({ name, sql, checksum: name });
const known = readMigrations();

const additive = '-- compatible-with-previous: yes\n';

describe('a migration that says that the previous version may run on it [practice 7.1]', () => {
  const declares = (sql: string) => declaresCompatible({ name: 'm', sql: additive + sql });

  it.each([
    'ALTER TABLE users DROP COLUMN phone;', 'ALTER TABLE users RENAME TO people;', 'ALTER TABLE users ALTER COLUMN name TYPE bytea;',
    'ALTER TABLE users ADD COLUMN must text NOT NULL;', 'ALTER TABLE users ADD must text NOT NULL, ADD may text DEFAULT 1;',
    'ALTER TABLE users ADD CONSTRAINT c CHECK (true);', 'drop table users;', 'CREATE UNIQUE INDEX i ON users (name);', 'TRUNCATE users;',
    'REVOKE ALL ON users FROM app;',
  ])('holds %s: refused', (sql) => {
    expect(() => declares(sql)).toThrow('the migration m says "compatible-with-previous", and holds');
  });

  it.each([
    'CREATE TABLE notes (id uuid PRIMARY KEY, title text NOT NULL UNIQUE);', 'ALTER TABLE users ADD COLUMN may text;', 'CREATE INDEX i ON users (id);',
    "ALTER TABLE users ADD COLUMN has text NOT NULL DEFAULT '';", 'CREATE TABLE a (id int); -- later: DROP TABLE b', 'DROP INDEX i;',
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
  let database: TestDatabase;
  let embedded: EmbeddedDatabase | undefined;
  let connection: pg.ClientConfig;

  beforeEach(async () => {
    database = await freshDatabase();
    embedded = database.url === undefined ? await startEmbedded(database.dataDirectory) : undefined;
    connection =
      embedded === undefined
        ? { connectionString: database.url }
        : { host: embedded.socketDirectory, port: 5432, user: 'postgres', database: 'postgres' };
  });
  afterEach(async () => {
    await embedded?.close();
    await database.drop();
  });

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
    await expect(migrate(connection, [...known, broken])).rejects.toThrow('90000000000000_broken failed and was rolled back');
    expect(await rows(`SELECT 1 FROM pg_tables WHERE tablename = 'half'`)).toEqual([]);
  });

  it('an applied migration was edited, or is gone: refused', async () => {
    const edited = known.map((migration) => ({ ...migration, checksum: 'edited' }));
    await expect(migrate(connection, edited)).rejects.toThrow('was edited after it was applied');
    await expect(migrate(connection, [])).rejects.toThrow('which this version does not know and which does not say "compatible-with-previous"');
  });

  it('a newer version is taken back: the older one starts on a migration that only adds, and on no other', async () => {
    await migrate(connection, [...known, step('90000000000002_adds', `${additive}ALTER TABLE users ADD COLUMN nickname text;`)]);
    expect(await migrate(connection)).toEqual([]);
    await migrate(connection, [...known, step('90000000000002_adds', `${additive}ALTER TABLE users ADD COLUMN nickname text;`), step('90000000000003_changes', 'SELECT 1;')]);
    await expect(migrate(connection)).rejects.toThrow('the migration 90000000000003_changes, which this version does not know');
  });

  it('a database with a newer migration lacks one of this version: refused, they are no successors of each other', async () => {
    await migrate(connection, [...known, step('90000000000004_theirs', `${additive}CREATE TABLE theirs (id int);`)]);
    await expect(migrate(connection, [...known, step('90000000000003_ours', 'SELECT 1;')])).rejects.toThrow('no successors of each other');
  });

  it('a migration says that it only adds, and does not: refused, and nothing of it stays', async () => {
    const liar = step('90000000000005_lies', `${additive}CREATE TABLE half (id int); ALTER TABLE users DROP COLUMN phone;`);
    await expect(migrate(connection, [...known, liar])).rejects.toThrow('90000000000005_lies says "compatible-with-previous", and holds DROP');
    expect(await rows(`SELECT 1 FROM pg_tables WHERE tablename = 'half'`)).toEqual([]);
  });

  // PGlite is one session, so advisory locks mean nothing there: the lock of its directory keeps other processes out.
  if (profile().name === 'services') {
    it('several start at once: one applies', async () => {
      const next = step('90000000000001_next', 'CREATE TABLE next (id int);');
      const applied = await Promise.all(Array.from({ length: 6 }, () => migrate(connection, [...known, next])));
      expect(applied.flat()).toEqual(['90000000000001_next']);
    });

    it('one applies for longer than the lock timeout: the others say that they wait, and start when it is done', async () => {
      const held = new pg.Client(connection);
      await held.connect();
      await held.query('SELECT pg_advisory_lock(72707369)');
      const lines: string[] = [];
      const write = vi.spyOn(process.stderr, 'write').mockImplementation((line) => lines.push(String(line)) > 0);
      const limited = { ...connection, lock_timeout: 200, statement_timeout: 300 };
      const next = step('90000000000001_next', 'CREATE TABLE next (id int);');
      const [owner, service] = [migrate(limited, [...known, next]), waitForMigrations(limited)];
      const settled = Promise.race([owner, service]).then(() => 'started', (error: Error) => error.message);
      const later = new Promise((resolve) => setTimeout(resolve, 1_000, 'still waiting'));
      expect(await Promise.race([settled, later])).toBe('still waiting');
      expect(lines).toEqual(Array.from({ length: 2 }, () => 'another process applies migrations to the database: waiting until it is done\n'));
      write.mockRestore();
      await held.end();
      expect(await owner).toEqual(['90000000000001_next']);
      await service;
    });
  } else {
    it('a second process opens the same directory: refused, and told who has it', async () => {
      await expect(startEmbedded(database.dataDirectory)).rejects.toThrow(`process ${process.pid} already uses`);
    });

    it('the directory is broken: told what and how to mend it, and the lock is free again', async () => {
      await embedded?.close();
      rmSync(join(database.dataDirectory, 'database/global/pg_control'));
      for (const _ of [1, 2]) await expect(startEmbedded(database.dataDirectory)).rejects.toThrow(/DATA_DIRECTORY: the embedded database in .* does not open: bring it back/);
      embedded = undefined;
    });

    it('commands work beside the service: 200 queries on each of two connections keep their answers apart', async () => {
      const clients = [new pg.Client(connection), new pg.Client(connection)];
      for (const client of clients) await client.connect();
      const answers = await Promise.all(
        clients.map(async (client, who) => {
          for (let index = 0; index < 200; index++) {
            const { rows } = await client.query('SELECT $1::int AS who, $2::int AS number', [who, index]);
            if (rows[0]?.who !== who || rows[0]?.number !== index) return false;
          }
          return true;
        }),
      );
      for (const client of clients) await client.end();
      expect(answers).toEqual([true, true]);
    });
  }
});
