import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { migrate, readMigrations } from '../../src/database/migrations.js';
import { startEmbedded, type EmbeddedDatabase } from '../../src/database/embedded.js';
import { freshDatabase, type TestDatabase } from '../support/databases.js';
import { profile } from '../support/profile.js';

const step = (name: string, sql: string) => ({ name, sql, checksum: name });
const known = readMigrations();

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
    await expect(migrate(connection, [])).rejects.toThrow('which this version does not know');
  });

  // PGlite is one session, so advisory locks mean nothing there: the lock of its directory keeps other processes out.
  if (profile().name === 'services') {
    it('several start at once: one applies', async () => {
      const next = step('90000000000001_next', 'CREATE TABLE next (id int);');
      const applied = await Promise.all(Array.from({ length: 6 }, () => migrate(connection, [...known, next])));
      expect(applied.flat()).toEqual(['90000000000001_next']);
    });
  } else {
    it('a second process opens the same directory: refused, and told who has it', async () => {
      await expect(startEmbedded(database.dataDirectory)).rejects.toThrow(`process ${process.pid} already uses`);
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
