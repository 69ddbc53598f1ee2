import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startApp, type TestApp } from '../support/app.js';
import { SamplesModule } from '../support/sample/samples.module.js';
import { unlimited } from '../support/unlimited.js';
import { everyFlow, type Act } from './flow.js';
import { ServiceProcess } from './service-process.js';
import { StatementRelay, type Strike } from './statement-relay.js';

// Not in the embedded profile: there the database lives and dies with the service, and no connection lies between them
// that could break.
// What is left of a killed embedded database is the matter of test/main.slow.test.ts.
describe('a flow that breaks off leaves all or nothing [ASVS 2.3.3] [practice 6.2]', () => {
  let app: TestApp;
  let relay: StatementRelay;
  let url: string;
  let service: ServiceProcess;
  let outbox: string;
  let tables: readonly string[];

  // What a flow needs is put in place by an instance of its own, without limits; the requests that are broken off go
  // to the process.
  beforeAll(async () => {
    unlimited();
    app = await startApp({ modules: [SamplesModule], instances: 1 });
    ({ relay, url } = await StatementRelay.to(app.database.url ?? ''));
    service = await ServiceProcess.start(app, url);
    outbox = join(app.dataDirectory, 'outbox');
    mkdirSync(outbox, { recursive: true });
    // The service seals its trail, and stores alerts, at its own times.
    tables = (
      await app.sql<{ name: string }>(`SELECT tablename AS name FROM pg_tables
        WHERE schemaname = 'public'
          AND tablename NOT IN ('audit_links', 'audit_checkpoints', 'alerts', 'alert_webhooks')`)
    ).map(({ name }) => name);
  });
  afterAll(async () => {
    vi.restoreAllMocks();
    service.kill();
    relay.close();
    await app.close();
  });

  /** Sends the request with the relay armed. @returns what changed in the database, and where the relay struck. */
  async function send({ method, path, parts }: Act, strike: Strike) {
    const before = await contents();
    relay.arm(strike);
    const answer = await service.request(method, path, parts);
    if (relay.struckAt !== undefined) await connectionsAreGone();
    const changed = changes(before, await contents());
    const struckAt = relay.struckAt;
    relay.restore();
    return { changed, struckAt, status: answer?.status };
  }

  it.each(Object.entries(everyFlow))(
    '%s: the connection breaks at every statement in turn',
    async (_, { prepare }) => {
      const broken: Awaited<ReturnType<typeof send>>[] = [];
      let whole: Awaited<ReturnType<typeof send>>;
      for (let count = 1; ; count++) {
        whole = await send(await prepare(app), { at: (__, at) => at === count });
        if (whole.struckAt === undefined) break;
        broken.push(whole);
      }
      broken.push(await send(await prepare(app), { at: (sql) => sql === 'COMMIT', executed: true }));
      expect([whole.status, Object.keys(whole.changed).length > 0], JSON.stringify(whole)).toEqual([
        expect.toBeOneOf([200, 201, 202, 204]),
        true,
      ]);
      // BEGIN, two statements at least, and COMMIT: fewer would mean that nothing was broken off in the middle.
      expect(broken.length).toBeGreaterThan(4);
      for (const { changed, struckAt } of broken)
        expect([{}, whole.changed], `${struckAt}: ${JSON.stringify(changed)}`).toContainEqual(changed);
      expect(broken.at(-1)?.changed).toEqual(whole.changed);
    },
    240_000,
  );

  it.each(Object.entries(everyFlow).filter(([, { isKilled }]) => isKilled === true))(
    '%s: kill -9 of the process just before and just after the commit: nothing, and all',
    async (_, { prepare }) => {
      for (const executed of [false, true]) {
        const { changed, status } = await send(await prepare(app), {
          at: (sql) => sql === 'COMMIT',
          executed,
          also: () => service.kill(),
        });
        expect([status, service.wasKilled, Object.keys(changed).length > 0]).toEqual([undefined, true, executed]);
        service = await ServiceProcess.start(app, url);
      }
    },
    120_000,
  );

  /** The server notices a lost client after its statement, and rolls back: nobody else may still be at work. */
  async function connectionsAreGone(): Promise<void> {
    const others =
      'SELECT FROM pg_stat_activity WHERE datname = current_database() ' +
      `AND state <> 'idle' AND pid <> pg_backend_pid()`;
    while ((await app.sql(others)).length > 0) await new Promise((resolve) => setTimeout(resolve, 10));
  }

  /**
   * Per table how many rows there are, and what is in them. Mail counts wherever it is: the worker takes it away at
   * its own times.
   */
  async function contents(): Promise<Map<string, string>> {
    const digests = tables.map((name) => {
      const condition = conditions[name] ?? '';
      return (
        `SELECT '${name}' AS name, count(*) || ' ' || md5(coalesce(string_agg(t::text, '' ORDER BY t::text), ` +
        `'')) AS state FROM "${name}" t ${condition}`
      );
    });
    const states = await app.sql<{ name: string; state: string }>(digests.join(' UNION ALL '));
    const waiting = (await app.sql<{ id: string }>('SELECT id::text FROM outgoing_mails')).map(({ id }) => id);
    const delivered = readdirSync(outbox).map((file) => file.replace(/\..*$/, ''));
    const mails = new Set([...waiting, ...delivered]);
    return new Map(states.map(({ name, state }) => [name, state])).set(
      'outgoing_mails',
      `${mails.size} ${[...mails].toSorted().join()}`,
    );
  }
});

const conditions: Readonly<Record<string, string>> = {
  // Refusals are written a moment later, whatever becomes of the flow.
  audit_events: `WHERE outcome = 'success'`,
  // So is the first alert, and the key that seals it.
  data_keys: `WHERE subject <> 'alerts'`,
};

/** Table by table how many rows came or went; 0 where rows were changed. */
function changes(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): Record<string, number> {
  const tables = [...after].filter(([table, state]) => state !== before.get(table));
  return Object.fromEntries(
    tables.map(([table, state]) => [table, Number.parseInt(state) - Number.parseInt(before.get(table) ?? '0')]),
  );
}
