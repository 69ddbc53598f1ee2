import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Macs } from '../../../src/common/macs.js';
import { SecurityEvents } from '../../../src/common/events/security-events.js';
import { isGenuine, type AuditEntry } from '../../../src/security/audit/audit-entry.js';
import { AuditWriter } from '../../../src/security/audit/audit-writer.js';
import { RepeatedRefusals } from '../../../src/security/audit/repeated-refusals.js';
import { startApp, type TestApp } from '../../support/app.js';
import { anotherAddress } from '../../support/http.js';

let app: TestApp;
beforeAll(async () => {
  app = await startApp({ instances: 1 });
});
afterAll(() => app.close());

interface Row extends Record<string, unknown> {
  readonly details: { readonly reason?: string; readonly repeated?: number; readonly since?: string };
}

const rowsOf = (network: string) =>
  app.sql<Row>(`SELECT * FROM audit_events WHERE action = 'authn_token_fail' AND network = $1 ORDER BY id`, [network]);
const events = () => app.on(0).service.app.get(SecurityEvents, { strict: false });

describe('a stranger cannot grow the audit trail [practice 10.4] [ASVS 16.3.3]', () => {
  it('is refused 40 times in a minute: one row at once, and one more that counts the others', async () => {
    const from = anotherAddress();
    for (let count = 0; count < 40; count++)
      expect((await app.request('GET', '/v1/users/me', { from })).status).toBe(401);
    await vi.waitFor(async () => expect(await rowsOf(from)).toHaveLength(1), 5_000);
    app.clock.advance(61);
    await vi.waitFor(async () => expect(await rowsOf(from)).toHaveLength(2), 5_000);
    const [first, summary] = await rowsOf(from);
    expect(first).toMatchObject({ details: { reason: 'missing' }, request_id: expect.any(String) });
    expect(summary).toMatchObject({
      details: { reason: 'missing', repeated: 39, since: expect.any(String) },
      request_id: null,
      outcome: 'denied',
    });
    // The next minute begins anew.
    await app.request('GET', '/v1/users/me', { from });
    await vi.waitFor(async () => expect(await rowsOf(from)).toHaveLength(3), 5_000);
  });

  it('the service ends within the minute: what was counted is written', async () => {
    const from = anotherAddress();
    for (let count = 0; count < 5; count++) await app.request('GET', '/v1/users/me', { from });
    await app.restart();
    expect((await rowsOf(from)).map(({ details }) => details.repeated)).toEqual([undefined, 4]);
  });

  it('each time another target: 20 rows a minute, then one for all others', () => {
    const refusals = repeated();
    const firsts = Array.from({ length: 500 }, (_, target) =>
      refusals.isFirst(entry({ targetId: String(target) })),
    ).filter(Boolean);
    expect(firsts).toHaveLength(20);
    expect(
      refusals.summaries(new Date(), true).map(({ targetId, details }) => [targetId, details['repeated']]),
    ).toEqual([[null, 480]]);
  });

  it('from 5,000 networks: memory and rows stay bounded, and every refusal is counted', () => {
    const refusals = repeated();
    const firsts = Array.from({ length: 10_000 }, (_, host) =>
      refusals.isFirst(entry({ network: `10.0.${host % 5_000}` })),
    ).filter(Boolean);
    expect(firsts.length).toBe(1_001);
    const rows = refusals.summaries(new Date(), true);
    expect(rows.length).toBe(1_001);
    expect(rows.find(({ network }) => network === null)?.details['repeated']).toBe(7_999);
    expect(firsts.length + rows.reduce((sum, { details }) => sum + Number(details['repeated']), 0)).toBe(10_000);
    expect(refusals.summaries(new Date(), true)).toEqual([]);
  });
});

const macs = () => app.on(0).service.app.get(Macs, { strict: false });
const repeated = () => new RepeatedRefusals(macs());
const entry = (more: Partial<AuditEntry>): AuditEntry => ({
  id: crypto.randomUUID(), at: new Date(), action: 'authz_fail', outcome: 'denied', actorId: null, sessionId: null,
  actorKind: null, machineId: null,
  targetType: 'Resource', targetId: 'x', requestId: null, network: '127.0.0.1', details: {}, macKeyId: 'k', mac: 'm',
  ...more,
}); // prettier-ignore

describe('one event that the database never takes [practice 10.4] [ASVS 16.2.1]', () => {
  it('does not keep those behind it out of the trail: it is set aside with an error line and an alarm', async () => {
    await app.sql(
      `ALTER TABLE audit_events ADD CONSTRAINT broken CHECK (coalesce(details->>'reason', '') <> 'poison') NOT VALID`,
    );
    const named = Array.from({ length: 9 }, (_, index) => `event-${index}`);
    for (const name of named)
      events().reportLater({
        action: 'authz_fail',
        outcome: 'denied',
        target: { type: 'Test', id: name },
        details: { reason: name === 'event-4' ? 'poison' : 'fine' },
      });
    const written = () =>
      app.sql<{ target_id: string }>(`SELECT target_id FROM audit_events WHERE target_type = 'Test'`);
    await vi.waitFor(
      async () =>
        expect((await written()).map(({ target_id: id }) => id).toSorted()).toEqual(
          named.filter((name) => name !== 'event-4'),
        ),
      10_000,
    );
    const told = await app.auditEvent('audit_write_fail');
    expect(told['details']).toMatchObject({ event: expect.any(String) });
    // With: logging.
    const line = app.logs().find((one) => one['event.action'] === 'audit_write_fail');
    // With: logging.
    expect(line).toMatchObject({
      'log.level': 'error',
      'event': { id: (told['details'] as { event: string }).event, action: 'authz_fail' },
      'error.code': expect.any(String),
    });
    // With: detection, logging.
    expect(app.logs().some(({ message }) => String(message).startsWith('alert audit_write_fail'))).toBe(true);
    await app.sql('ALTER TABLE audit_events DROP CONSTRAINT broken');
  });

  it('a name with NUL and half a character: stored without them, under a MAC that holds', async () => {
    events().reportLater({
      action: 'authz_fail',
      outcome: 'denied',
      target: { type: 'Odd', id: 'a\u0000b\ud800c' },
      details: { 'x\u0000': 'y\u0000\udc00' },
    });
    const row = await app.auditEvent('authz_fail', (one) => one['target_type'] === 'Odd');
    expect([row['target_id'], row['details']]).toEqual(['ab\ufffdc', { x: 'y\ufffd' }]);
    const names = {
      actorId: 'actor_id',
      sessionId: 'session_id',
      actorKind: 'actor_kind',
      machineId: 'machine_id',
      targetType: 'target_type',
      targetId: 'target_id',
      requestId: 'request_id',
      macKeyId: 'mac_key_id',
    };
    const stored = {
      ...row,
      ...Object.fromEntries(Object.entries(names).map(([name, column]) => [name, row[column]])),
    };
    expect(isGenuine(stored as unknown as AuditEntry, macs())).toBe(true);
  });

  it('while the database is away nothing is set aside, and all of it is written afterwards, in its order', async () => {
    const taken: string[] = [];
    const given: string[] = [];
    let code: string | undefined = 'ECONNREFUSED';
    let calls = 0;
    const insert = async (rows: readonly AuditEntry[]): Promise<void> => {
      calls++;
      if (code !== undefined) throw Object.assign(new Error('away'), { code });
      taken.push(...rows.map(({ id }) => id));
    };
    const writer = new AuditWriter(insert, ({ id }) => void given.push(id));
    const rows = Array.from({ length: 500 }, (_, id) => entry({ id: String(id) }));
    for (let time = 0; time < 5; time++) expect(await writer.write(rows)).toEqual(rows);
    expect(calls).toBe(5);
    // Every row fails, and nothing says that it is the rows' fault: a bounded number of statements, and nothing is
    // given up.
    code = 'P0001';
    for (let time = 0; time < 5; time++) expect(await writer.write(rows)).toEqual(rows);
    expect(calls).toBeLessThanOrEqual(5 + 5 * 25);
    code = undefined;
    expect(await writer.write(rows)).toEqual([]);
    expect([taken, given]).toEqual([rows.map(({ id }) => id), []]);
  });
});
