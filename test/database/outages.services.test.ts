import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectionOptions } from '../../src/database/connection.js';
import { grantRuntimeRole } from '../../src/database/index.js';
import { signUp, type Actor } from '../support/actors.js';
import { startApp, type TestApp } from '../support/app.js';
import { migrateWithSamples } from '../support/template.js';
import { readiness } from '../support/readiness.js';
import { Relay } from '../support/relay.js';
import { SamplesModule } from '../support/sample/samples.module.js';
import { Cluster } from './cluster.js';
import { timing } from '../support/timing.js';

describe('the database has an outage [ASVS 16.5.2] [practice 6.2] [A8-2]', () => {
  let cluster: Cluster;
  let app: TestApp;
  let alice: Actor;

  beforeAll(async () => {
    cluster = await Cluster.start();
    const owner = connectionOptions(cluster.config(cluster.env('owner')), undefined);
    await migrateWithSamples(owner);
    await grantRuntimeRole(owner, 'app');
    app = await startApp({ modules: [SamplesModule], instances: 1, env: cluster.env('app') });
    alice = await signUp(app, 'alice');
  }, 120_000);
  afterAll(async () => {
    await app?.close();
    await cluster?.stop();
  });

  const create = (title: string) =>
    app.request('POST', '/v1/samples', { token: alice.token, body: { title, body: 'b' } });
  const login = () => app.request('POST', '/v1/auth/login', { body: { email: alice.email, password: alice.password } });
  const stored = async (pattern: string) =>
    (await cluster.postgres.sql('service', `SELECT title FROM samples WHERE title LIKE '${pattern}'`)).map(
      ({ title }) => title,
    );

  async function expectUnavailable(...answers: Awaited<ReturnType<typeof create>>[]): Promise<void> {
    for (const answer of answers) {
      expect(answer).toMatchObject({
        status: 503,
        headers: { 'retry-after': '5' },
        body: { type: '/problems/unavailable' },
      });
      expect(answer.text).not.toMatch(/prisma|postgres|ECONN|127\.0\.0\.1|select/i);
    }
  }

  it.each(['SIGINT', 'SIGQUIT'] as const)(
    'stops (%s) under load and starts again: 201 or 503, readiness tells it, and every 201 is stored, no other',
    async (signal) => {
      const halted = new AbortController();
      const made: string[] = [];
      const writers = Array.from({ length: 6 }, async (_, writer) => {
        for (let number = 0; !halted.signal.aborted; number++) {
          const title = `${signal} ${writer} ${number}`;
          const answer = await create(title);
          if (answer.status === 201) made.push(title);
          else await expectUnavailable(answer);
        }
      });
      await expect.poll(() => made.length, { timeout: 20_000 }).toBeGreaterThan(20);
      await cluster.postgres.halt(signal);
      halted.abort();
      await Promise.all(writers);
      await expectUnavailable(await create(`${signal} down`), await login());
      expect(await readiness(app)).toMatchObject({ status: 503, body: { checks: { database: 'down' } } });
      await cluster.postgres.resume();
      expect((await create(`${signal} again`)).status).toBe(201);
      expect(await readiness(app)).toMatchObject({ status: 200, body: { checks: { database: 'up' } } });
      const found = await stored(`${signal} %`);
      expect(made.filter((title) => !found.includes(title))).toEqual([]);
      // A transaction that was at its COMMIT may have been stored although its client heard 503: one for each writer
      // at most.
      expect(found.length - made.length - 1).toBeLessThanOrEqual(writers.length);
    },
  );

  it('is read-only after a failover: writing is 503, readiness is down; then it goes on by itself', async () => {
    const { id } = (await create('before')).body;
    await cluster.postgres.sql('postgres', 'ALTER SYSTEM SET default_transaction_read_only = on');
    await cluster.postgres.sql('postgres', 'SELECT pg_reload_conf()');
    await expect.poll(async () => (await create('read-only')).status, { timeout: 10_000 }).toBe(503);
    await expectUnavailable(await create('read-only'), await login());
    expect((await app.request('GET', `/v1/samples/${id}`, { token: alice.token })).status).toBe(200);
    expect(await readiness(app)).toMatchObject({ status: 503, body: { checks: { database: 'down' } } });
    await cluster.postgres.sql('postgres', 'ALTER SYSTEM RESET default_transaction_read_only');
    await cluster.postgres.sql('postgres', 'SELECT pg_reload_conf()');
    await expect.poll(async () => (await create('writes')).status, { timeout: 10_000 }).toBe(201);
    expect(await readiness(app)).toMatchObject({ status: 200 });
  });

  it('lets a role in no more: 503, and then it goes on', async () => {
    await cluster.postgres.sql('postgres', 'ALTER ROLE app NOLOGIN');
    await cluster.postgres.sql(
      'postgres',
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'`,
    );
    await expect.poll(async () => (await create('shut')).status, { timeout: 5_000 }).toBe(503);
    await expectUnavailable(await create('shut'), await login());
    await cluster.postgres.sql('postgres', 'ALTER ROLE app LOGIN');
    expect((await create('open')).status).toBe(201);
  });
});

describe('the link falls silent: nothing is closed, nothing arrives [ASVS 13.2.6] [practice 7.1]', () => {
  it(
    'every request is answered 503 within 5 s, readiness tells it, and the connections are replaced',
    timing,
    async () => {
      const app = await startApp({ modules: [SamplesModule], instances: 1 });
      const alice = await signUp(app, 'alice');
      const { relay, url } = await Relay.to(app.database.url ?? '');
      await app.restart({ env: { DATABASE_URL: url } });
      const create = (title: string) =>
        app.request('POST', '/v1/samples', { token: alice.token, body: { title, body: 'b' } });
      const read = () => app.request('GET', '/v1/samples', { token: alice.token });
      // A pool with many open connections, in the middle of their work.
      const silent = new AbortController();
      const answers: { status: number; title: string; seconds: number }[] = [];
      const timed = async (title: string, answer: ReturnType<typeof create>) => {
        const begun = performance.now();
        const { status, headers } = await answer;
        if (status === 503) expect(headers['retry-after']).toBe('5');
        answers.push({ status, title, seconds: (performance.now() - begun) / 1000 });
      };
      const workers = Array.from({ length: 15 }, async (_, worker) => {
        for (let number = 0; !silent.signal.aborted; number++)
          await timed(`${worker} ${number}`, worker % 3 === 0 ? read() : create(`${worker} ${number}`));
      });
      await expect.poll(() => answers.length, { timeout: 20_000 }).toBeGreaterThan(60);
      relay.silence();
      silent.abort();
      const [ready] = await Promise.all([
        readiness(app),
        ...workers,
        ...Array.from({ length: 15 }, (_, index) => timed('late', create(`late ${index}`))),
      ]);
      expect(ready).toMatchObject({ status: 503, body: { checks: { database: 'down' } } });
      const refused = answers.filter(({ status }) => status === 503);
      expect(refused.length).toBeGreaterThan(20);
      expect(answers.filter(({ status }) => ![200, 201, 503].includes(status))).toEqual([]);
      // The bound that is promised, with what a busy machine takes on top.
      expect(Math.max(...answers.map(({ seconds }) => seconds))).toBeLessThan(8);
      relay.restore();
      for (let index = 0; index < 12; index++) expect((await create(`after ${index}`)).status).toBe(201);
      expect(await readiness(app)).toMatchObject({ status: 200 });
      const rows = await app.sql<{ title: string }>('SELECT title FROM samples');
      const found = new Set(rows.map(({ title }) => title));
      for (const { status, title } of answers) if (status === 201) expect(found.has(title)).toBe(true);
      relay.close();
      await app.close();
    },
  );
});
