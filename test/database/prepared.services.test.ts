import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Database } from '../../src/database/index.js';
import { signUp, type Actor } from '../support/actors.js';
import { startApp, type TestApp } from '../support/app.js';
import { SamplesModule } from '../support/sample/samples.module.js';
import { createSample } from '../support/sample/samples.js';

// One connection, so that each request meets the statements of the one before it.

let app: TestApp;
let alice: Actor;
let path: string;

beforeAll(async () => {
  app = await startApp({ modules: [SamplesModule], instances: 1, env: { DATABASE_POOL_SIZE: '1' } });
  alice = await signUp(app, 'alice');
  path = `/v1/samples/${(await createSample(app, alice)).id}`;
});
afterAll(() => app.close());

const statusOf = async () => (await app.request('GET', path, { token: alice.token })).status;
const client = () => app.on(0).service.app.get(Database, { strict: false }).client;
/** The service does other things meanwhile. @param about what the texts hold. */
const prepared = async (about = '') => {
  const rows = await client().$queryRaw<{ count: number }[]>`
    SELECT count(*)::int AS count FROM pg_prepared_statements
    WHERE name ~ '^s[0-9]+$' AND statement LIKE ${`%${about}%`} AND statement NOT LIKE '%pg_prepared_statements%'`;
  return rows[0]?.count ?? 0;
};

describe('statements are prepared once a connection [practice 7.1] [ASVS 15.2.2]', () => {
  it('the same request again: the same statements', async () => {
    await statusOf();
    const before = await prepared('FROM samples');
    expect(before).toBeGreaterThan(0);
    for (let count = 0; count < 5; count++) expect(await statusOf()).toBe(200);
    expect(await prepared('FROM samples')).toBe(before);
  });

  it('a migration changes the type of a column: one request is told to come again, the next is answered', async () => {
    expect(await statusOf()).toBe(200);
    await app.sql('ALTER TABLE samples ALTER COLUMN title TYPE varchar');
    expect([await statusOf(), await statusOf()]).toEqual([503, 200]);
  });

  it('the same in a transaction, which gives its connection back', async () => {
    const change = async (version: number) => {
      const headers = { 'if-match': `"${version}"` };
      return (await app.request('PATCH', path, { token: alice.token, headers, body: { title: 'Again' } })).status;
    };
    expect(await change(1)).toBe(200);
    await app.sql('ALTER TABLE samples ALTER COLUMN body TYPE varchar');
    expect([await change(2), await change(2)]).toEqual([503, 200]);
  });

  it('a session that has lost its statements: the same', async () => {
    expect(await statusOf()).toBe(200);
    await client().$executeRawUnsafe('DEALLOCATE ALL');
    expect([await statusOf(), await statusOf()]).toEqual([503, 200]);
  });

  it('more texts than there is room for: all are answered, and the server keeps no more of them', async () => {
    for (let count = 0; count < 250; count++)
      await client().$queryRawUnsafe(`SELECT $1::int AS of_text_${count}`, count);
    expect(await prepared()).toBeLessThanOrEqual(200);
    expect(await statusOf()).toBe(200);
  });
});
