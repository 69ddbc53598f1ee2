import { rmSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEmbedded, type EmbeddedDatabase } from '../../src/database/embedded.js';
import { embeddedDirectory, type TestDatabase } from '../support/databases.js';

describe('the directory of the embedded database [practice 7.1]', () => {
  let database: TestDatabase;
  let embedded: EmbeddedDatabase | undefined;

  beforeAll(async () => {
    database = embeddedDirectory();
    embedded = await startEmbedded(database.dataDirectory);
  });
  afterAll(async () => {
    await embedded?.close();
    await database.drop();
  });

  it('a second process opens the same directory: refused, and told who has it', async () => {
    await expect(startEmbedded(database.dataDirectory)).rejects.toThrow(`process ${process.pid} already uses`);
  });

  it('commands run beside the service: 200 queries on each of two links keep their answers apart', async () => {
    const connection = { host: embedded?.socketDirectory, port: 5432, user: 'postgres', database: 'postgres' };
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

  it('the directory is broken: told what and how to mend it, and the lock is free again', async () => {
    await embedded?.close();
    rmSync(join(database.dataDirectory, 'database/global/pg_control'));
    for (const _ of [1, 2])
      await expect(startEmbedded(database.dataDirectory)).rejects.toThrow(
        /DATA_DIRECTORY: the embedded database in .* does not open: bring it back/,
      );
    embedded = undefined;
  });
});
