import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { migrate, readMigrations, waitForMigrations } from '../../src/database/migrations.js';
import { runningDatabase, type RunningDatabase } from '../support/databases.js';

const known = readMigrations();
const next = { name: '90000000000001_next', sql: 'CREATE TABLE next (id int);', checksum: 'next' };

// PGlite is one session, so advisory locks mean nothing there: the lock of its directory keeps other processes out.
describe('several start on one database [practice 7.1]', () => {
  let database: RunningDatabase;
  let connection: pg.ClientConfig;

  beforeEach(async () => {
    database = await runningDatabase();
    ({ connection } = database);
  });
  afterEach(() => database.drop());

  it('several start at once: one applies', async () => {
    const applied = await Promise.all(Array.from({ length: 6 }, () => migrate(connection, [...known, next])));
    expect(applied.flat()).toEqual(['90000000000001_next']);
  });

  it('one applies for longer than the lock timeout: the others say that they wait, and start after it', async () => {
    const held = new pg.Client(connection);
    await held.connect();
    await held.query('SELECT pg_advisory_lock(72707369)');
    const lines: string[] = [];
    const write = vi.spyOn(process.stderr, 'write').mockImplementation((line) => lines.push(String(line)) > 0);
    const limited = { ...connection, lock_timeout: 200, statement_timeout: 300 };
    const [owner, service] = [migrate(limited, [...known, next]), waitForMigrations(limited)];
    const settled = Promise.race([owner, service]).then(
      () => 'started',
      (error: Error) => error.message,
    );
    const later = new Promise((resolve) => setTimeout(resolve, 1_000, 'still waiting'));
    expect(await Promise.race([settled, later])).toBe('still waiting');
    expect(lines).toEqual(
      Array.from({ length: 2 }, () => 'another process applies migrations to the database: waiting until it is done\n'),
    );
    write.mockRestore();
    await held.end();
    expect(await owner).toEqual(['90000000000001_next']);
    await service;
  });
});
