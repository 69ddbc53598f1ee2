import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Macs } from '../../../src/common/macs.js';
import type { SecurityEvent } from '../../../src/common/events/security-events.js';
import { readConfig } from '../../../src/config/index.js';
import { Database, openStoredClient } from '../../../src/database/index.js';
import { isGenuine, rowOf, toEntry, type AuditEntry } from '../../../src/security/audit/audit-entry.js';
import { pruneAuditTrail, type Retention } from '../../../src/security/audit/retention.js';
import { startApp, type TestApp } from '../../support/app.js';

const dayMs = 24 * 60 * 60 * 1000;
const daysAgo = (days: number) => new Date(Date.now() - days * dayMs);

let app: TestApp;
let client: Awaited<ReturnType<typeof openStoredClient>>;

beforeAll(async () => {
  app = await startApp({ instances: 1 });
  client = await openStoredClient(readConfig({ DATA_DIRECTORY: app.dataDirectory, DATABASE_URL: app.database.url }));
});
afterAll(async () => {
  await client?.$disconnect();
  await app.close();
});

const macs = () => app.on(0).service.app.get(Macs, { strict: false });

/** The event as the service would have written it on that day. */
async function written(days: number, outcome: SecurityEvent['outcome'], name: string): Promise<string> {
  const action = outcome === 'success' ? 'sensitive_update' : 'authz_fail';
  const entry = toEntry({ action, outcome, target: { type: 'sample', id: name } }, daysAgo(days), macs());
  await app
    .on(0)
    .service.app.get(Database, { strict: false })
    .client.auditEvent.create({ data: rowOf(entry) });
  return entry.id;
}

const prune = (parts: Partial<Retention> = {}) =>
  pruneAuditTrail({
    client,
    macs: macs(),
    now: () => new Date(),
    changesBefore: daysAgo(400),
    refusalsBefore: daysAgo(90),
    signal: new AbortController().signal,
    onProgress: () => undefined,
    ...parts,
  });

const events = () => client.auditEvent.findMany({ where: { action: 'audit_pruned' }, orderBy: { id: 'asc' } });
/** Sorted, because ids of one millisecond have no order. */
const names = async () =>
  (await client.auditEvent.findMany({ where: { targetType: 'sample' } })).map(({ targetId }) => targetId).toSorted();

describe('retention of the audit trail [practice 10.4] [ASVS 14.2.7] [ASVS 16.4.2]', () => {
  it('deletes refusals and changes older than the policy, and nothing else; an event says what', async () => {
    await written(401, 'success', 'old change');
    await written(91, 'denied', 'old refusal');
    await written(91, 'failure', 'old failure');
    await written(399, 'success', 'change');
    await written(89, 'denied', 'refusal');
    expect(await prune()).toMatchObject({ changes: 1, refusals: 2 });
    expect(await names()).toEqual(['change', 'refusal']);
    const [event, ...more] = await events();
    const details = { changes: 1, refusals: 2 };
    expect([event, more]).toMatchObject([{ outcome: 'success', actorId: null, details }, []]);
    const newest = (event?.details as { newest?: string } | undefined)?.newest ?? '';
    expect(Math.abs(new Date(newest).getTime() - daysAgo(91).getTime())).toBeLessThan(dayMs / 2);
    const left = (await client.auditEvent.findMany()) as unknown as AuditEntry[];
    expect(left.filter((entry) => !isGenuine(entry, macs()))).toEqual([]);
    // Nothing is due: no event either.
    expect(await prune()).toMatchObject({ changes: 0, refusals: 0 });
    expect(await events()).toHaveLength(1);
  });

  it('stopped half-way: what went has its event, and the next run goes on', async () => {
    const before = (await events()).length;
    // By SQL, so that their ids are older than all others: two pages and a half.
    await app.sql(`INSERT INTO audit_events (id, at, action, outcome, target_type, target_id, details, mac_key_id, mac)
      SELECT ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, now() - interval '91 days', 'authz_fail',
        'denied', 'flood', n, '{}', 'k', 'm'
      FROM generate_series(1, 5000) AS n`);
    const stop = new AbortController();
    expect(await prune({ signal: stop.signal, onProgress: () => stop.abort() })).toMatchObject({ refusals: 2_000 });
    expect(await client.auditEvent.count({ where: { targetType: 'flood' } })).toBe(3_000);
    expect((await events()).slice(before)).toMatchObject([{ details: { refusals: 2_000 } }]);
    expect(await prune()).toMatchObject({ refusals: 3_000 });
    expect((await events()).slice(before)).toMatchObject([
      { details: { refusals: 2_000 } },
      { details: { refusals: 2_000 } },
      { details: { refusals: 1_000 } },
    ]);
  });

  it('a policy of one day, or the setting of the trigger by hand: the last 30 days stay', async () => {
    await written(29, 'denied', 'recent');
    await expect(prune({ refusalsBefore: daysAgo(1), changesBefore: daysAgo(1) })).rejects.toThrow();
    await expect(app.sql(`BEGIN; SET LOCAL audit.pruning = 'on'; DELETE FROM audit_events; COMMIT`)).rejects.toThrow(
      'audit events are append-only',
    );
    for (const statement of ['UPDATE audit_events SET outcome = $$failure$$', 'TRUNCATE audit_events']) {
      await expect(app.sql(`BEGIN; SET LOCAL audit.pruning = 'on'; ${statement}; COMMIT`)).rejects.toThrow(
        'audit events are append-only',
      );
    }
    expect(await names()).toContain('recent');
    expect(() => readConfig({ AUDIT_REFUSALS_DAYS: '29', AUDIT_CHANGES_DAYS: '29' })).toThrow(
      /AUDIT_REFUSALS_DAYS.*AUDIT_CHANGES_DAYS/s,
    );
  });
});
