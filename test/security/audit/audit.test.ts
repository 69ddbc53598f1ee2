import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Macs } from '../../../src/common/macs.js';
import { SecurityEvents, type SecurityEvent } from '../../../src/common/events/security-events.js';
import { Database } from '../../../src/database/index.js';
import { isGenuine, type AuditEntry } from '../../../src/security/audit/audit-entry.js';
import { signUp, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { SamplesModule } from '../../support/sample/samples.module.js';
import { createSample } from '../../support/sample/samples.js';

let app: TestApp;
let alice: Actor;

beforeAll(async () => {
  app = await startApp({ modules: [SamplesModule] });
  alice = await signUp(app, 'alice');
});
afterAll(() => app.close());

/** The row as the code that checks it sees it: every column under its name in the code. */
async function entry(id: string): Promise<AuditEntry> {
  const [row = {}] = await app.sql('SELECT * FROM audit_events WHERE target_id = $1', [id]);
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [inCode(name), value])) as unknown as AuditEntry;
}

const inCode = (column: string): string => column.replace(/_(\w)/g, (_match, letter: string) => letter.toUpperCase());

/** Another value of the same kind. */
const tampered = (value: unknown): unknown =>
  value === null
    ? 'x'
    : value instanceof Date
      ? new Date(value.getTime() + 1)
      : typeof value === 'object'
        ? { ...value, more: 1 }
        : `${(value as string).slice(0, -1)}~`;

describe('audit [practice 10.4] [ASVS 16.4.2]', () => {
  it('says who did what, when, from where and in which request [ASVS 16.2.1]', async () => {
    const created = await app.request('POST', '/v1/samples', { token: alice.token, body: { title: 't', body: 'b' } });
    const event = await app.auditEvent('sensitive_create', (row) => row['target_id'] === created.body.id);
    expect(event).toMatchObject({
      actor_id: alice.userId,
      request_id: created.headers['x-request-id'],
      outcome: 'success',
    });
    expect(event['network']).toMatch(/^127\./);
    expect(event['session_id']).toMatch(/^[0-9a-f-]{36}$/);
  });

  it.each(['UPDATE audit_events SET outcome = $$failure$$', 'DELETE FROM audit_events', 'TRUNCATE audit_events'])(
    'rewrites history by %s: the database refuses',
    async (statement) => {
      const [before] = await app.sql('SELECT count(*) FROM audit_events');
      await expect(app.sql(statement)).rejects.toThrow('audit events are append-only');
      expect((await app.sql('SELECT count(*) FROM audit_events'))[0]).toEqual(before);
    },
  );

  it('changes any one column past the trigger: the MAC tells', async () => {
    const { id } = await createSample(app, alice);
    const macs = app.on(0).service.app.get(Macs, { strict: false });
    const genuine = await entry(id);
    expect(isGenuine(genuine, macs)).toBe(true);
    const columns = await app.sql<{ name: string }>(
      `SELECT column_name AS name FROM information_schema.columns WHERE table_name = 'audit_events'`,
    );
    expect(columns.length).toBeGreaterThanOrEqual(13);
    // `request_id` and `actor_id` of a row may be taken out as well as changed.
    for (const column of columns.map(({ name }) => inCode(name) as keyof AuditEntry)) {
      expect([column, isGenuine({ ...genuine, [column]: tampered(genuine[column]) }, macs)]).toEqual([column, false]);
      if (column === 'details' || column.startsWith('mac') || column === 'at' || genuine[column] === null) continue;
      expect([column, isGenuine({ ...genuine, [column]: null }, macs)]).toEqual([column, false]);
    }
    expect(isGenuine({ ...genuine, targetType: genuine.targetId, targetId: genuine.targetType }, macs)).toBe(false);
  });

  it('the event cannot be written: the change does not happen either [ASVS 2.3.3]', async () => {
    const count = async () => (await app.sql('SELECT count(*)::int AS count FROM samples'))[0];
    const before = await count();
    await app.sql(`ALTER TABLE audit_events ADD CONSTRAINT broken CHECK (action <> 'sensitive_create') NOT VALID`);
    try {
      const { status } = await app.request('POST', '/v1/samples', {
        token: alice.token,
        body: { title: 't', body: 'b' },
      });
      expect(status).toBe(500);
      expect(await count()).toEqual(before);
    } finally {
      await app.sql('ALTER TABLE audit_events DROP CONSTRAINT broken');
    }
  });

  it('the change cannot be written: no event says that it was [ASVS 2.3.3]', async () => {
    await app.sql(`ALTER TABLE samples ADD CONSTRAINT broken CHECK (title <> 'refused by the database') NOT VALID`);
    const events = async () =>
      (await app.sql(`SELECT count(*)::int AS count FROM audit_events WHERE action = 'sensitive_create'`))[0];
    const before = await events();
    const { status } = await app.request('POST', '/v1/samples', {
      token: alice.token,
      body: { title: 'refused by the database', body: '' },
    });
    expect([status, await events()]).toEqual([500, before]);
  });

  it('the change and its event are rows of one transaction', async () => {
    const { id } = await createSample(app, alice);
    const [{ xmin } = {}] = await app.sql('SELECT xmin FROM samples WHERE id = $1', [id]);
    expect(xmin).toMatch(/^\d+$/);
    expect(await app.sql('SELECT xmin FROM audit_events WHERE target_id = $1', [id])).toEqual([{ xmin }]);
  });

  it('a sink that must run code fails: neither the change nor its event is kept [ASVS 2.3.3]', async () => {
    const title = `refused by a sink ${alice.userId}`;
    const database = app.on(0).service.app.get(Database, { strict: false });
    let seen: string | undefined;
    const record = async ({ target }: SecurityEvent) => {
      const row = database.client.$queryRaw<
        []
      >`SELECT FROM samples WHERE id::text = ${target?.id} AND title = ${title}`;
      if ((await row).length === 0) return;
      seen = target?.id;
      throw new Error('this sink refuses');
    };
    app
      .on(0)
      .service.app.get(SecurityEvents, { strict: false })
      .subscribe({ recordInTransaction: record, reportLater: () => undefined });
    expect((await app.request('POST', '/v1/samples', { token: alice.token, body: { title, body: '' } })).status).toBe(
      500,
    );
    expect(seen).toBeDefined();
    expect(await app.sql('SELECT FROM samples WHERE id = $1', [seen])).toEqual([]);
    expect(await app.sql('SELECT FROM audit_events WHERE target_id = $1', [seen])).toEqual([]);
    expect((await createSample(app, alice)).id).toBeDefined();
  });
});
