import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Macs } from '../../src/common/macs.js';
import { isGenuine, type AuditEntry } from '../../src/security/audit/audit-entry.js';
import { signIn, signUp, type Actor } from '../support/actors.js';
import { startApp, type TestApp } from '../support/app.js';
import { SamplesModule } from '../support/sample/samples.module.js';

/** What an administrator may have set for the database. */
async function setForDatabase(app: TestApp, settings: Readonly<Record<string, string>>): Promise<void> {
  const [row] = await app.sql<{ name: string }>('SELECT current_database() AS name');
  for (const [name, value] of Object.entries(settings))
    await app.sql(`ALTER DATABASE ${row?.name} SET ${name} = '${value}'`);
}

describe('a database whose sessions are set to something else [practice 7.1]', () => {
  let app: TestApp;
  let alice: Actor;
  beforeAll(async () => {
    app = await startApp({ modules: [SamplesModule], instances: 1 });
    alice = await signUp(app, 'alice');
    await setForDatabase(app, { TimeZone: 'America/New_York', default_transaction_isolation: 'serializable' });
    await app.restart();
  });
  afterAll(() => app.close());

  const entries = async () =>
    (await app.sql('SELECT * FROM audit_events')).map((row): AuditEntry => {
      const column = (name: string) => (row[name] ?? null) as string | null;
      return {
        ...(row as unknown as AuditEntry),
        actorId: column('actor_id'),
        sessionId: column('session_id'),
        actorKind: column('actor_kind'),
        machineId: column('machine_id'),
        targetType: column('target_type'),
        targetId: column('target_id'),
        requestId: column('request_id'),
        macKeyId: column('mac_key_id') ?? '',
      };
    });

  it('an instant is stored as it is, and read back as it was', async () => {
    const created = await app.request('POST', '/v1/samples', { token: alice.token, body: { title: 't', body: 'b' } });
    expect(Math.abs(Date.parse(created.body.createdAt) - Date.now())).toBeLessThan(60_000);
    const [row] = await app.sql<{ age: string }>(
      'SELECT abs(extract(epoch FROM now() - created_at)) AS age FROM public.samples WHERE id = $1',
      [created.body.id],
    );
    expect(Number(row?.age)).toBeLessThan(60);
  });

  it('other dates, and another schema first: the service finds and reads its own tables', async () => {
    await setForDatabase(app, { search_path: 'pg_catalog', DateStyle: 'German' });
    await app.restart();
    const created = await app.request('POST', '/v1/samples', { token: alice.token, body: { title: 't', body: 'b' } });
    await setForDatabase(app, { search_path: 'public', DateStyle: 'ISO' });
    expect(created.status).toBe(201);
    expect(Math.abs(Date.parse(created.body.createdAt) - Date.now())).toBeLessThan(60_000);
  });

  it('replays a used token in the hour that the zone skips: 401, all events are genuine [A2-4]', async () => {
    // 02:30 does not exist in New York on 14 March 2027.
    app.clock.advance((Date.parse('2027-03-14T02:30:00Z') - Date.now()) / 1000);
    const { refreshToken } = await signIn(app, alice);
    const refresh = () => app.request('POST', '/v1/auth/refresh', { body: { refreshToken } });
    expect((await refresh()).status).toBe(200);
    app.clock.advance(11);
    expect((await refresh()).status).toBe(401);
    await app.auditEvent('authn_token_reuse');
    const macs = app.on(0).service.app.get(Macs, { strict: false });
    const ofThatHour = (await entries()).filter(({ at }) => at.toISOString().startsWith('2027-03-14T02:3'));
    expect(ofThatHour.length).toBeGreaterThan(2);
    expect(ofThatHour.filter((entry) => !isGenuine(entry, macs))).toEqual([]);
  });
});
