import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import pg from 'pg';
import { Macs } from '../../../../src/common/macs.js';
import { grantRuntimeRole } from '../../../../src/database/index.js';
import { toEntry } from '../../../../src/security/audit/audit-entry.js';
import { ServiceProcess } from '../../../atomicity/service-process.js';
import { Trail } from './trail.js';

const writers = 32;

let trail: Trail;
const processes: ServiceProcess[] = [];
beforeAll(async () => {
  trail = await Trail.start();
});
afterAll(async () => {
  for (const each of processes) each.kill();
  await trail.close();
});

const start = async () => {
  const service = await ServiceProcess.start(trail.app, trail.app.database.url ?? '');
  processes.push(service);
  return service;
};
const count = async (where: string) =>
  (await trail.app.sql<{ count: number }>(`SELECT count(*)::int AS count FROM ${where}`))[0]?.count ?? 0;

/** Genuine events on a connection of its own, one transaction each, as long as it runs. */
async function write(state: { running: boolean }): Promise<number> {
  const client = new pg.Client({ connectionString: trail.app.database.url });
  await client.connect();
  let written = 0;
  for (; state.running; written++) {
    const outcome = written % 3 === 0 ? 'denied' : 'success';
    const entry = toEntry({ action: 'sensitive_update', outcome }, new Date(), trail.get(Macs));
    const { id, at, action, details, macKeyId, mac } = entry;
    await client.query('BEGIN');
    await client.query(
      `INSERT INTO audit_events (id, at, action, outcome, details, mac_key_id, mac) VALUES ($1,$2,$3,$4,$5,$6,$7)`,
      [id, at, action, outcome, details, macKeyId, mac],
    );
    // Ids become visible in another order than they were made.
    await client.query('SELECT pg_sleep(random() / 5)');
    await client.query('COMMIT');
  }
  await client.end();
  return written;
}

describe('32 writers, and a sealer that is killed while it links [practice 10.4] [ASVS 16.4.2]', () => {
  it('another one takes over: every event has one link, and the trail is sound', async () => {
    // The time in which it is killed: inside of its transaction, and of its statement.
    await trail.app.sql(`CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN PERFORM pg_sleep(0.5); RETURN NULL; END $$;
      CREATE TRIGGER slow AFTER INSERT ON audit_links FOR EACH STATEMENT EXECUTE FUNCTION slow()`);
    const state = { running: true };
    const done = Promise.all(Array.from({ length: writers }, () => write(state)));
    const linking = () =>
      count(`pg_stat_activity WHERE datname = current_database() AND state = 'active'
        AND pid <> pg_backend_pid() AND query LIKE '%INSERT INTO audit_links%'`);
    const first = await start();
    await vi.waitFor(async () => expect(await linking()).toBe(1), { timeout: 20_000, interval: 5 });
    first.kill();
    await vi.waitFor(() => expect(first.wasKilled).toBe(true));
    const left = await count('audit_links');
    await Promise.all([start(), start()]);
    await vi.waitFor(async () => expect(await count('audit_links')).toBeGreaterThan(left), 30_000);
    state.running = false;
    const written = (await done).reduce((sum, each) => sum + each, 0);
    const unsealed = () => count('audit_events e WHERE NOT EXISTS (SELECT FROM audit_links l WHERE l.event_id = e.id)');
    await vi.waitFor(async () => expect(await unsealed()).toBe(0), 30_000);
    expect(await count(`audit_events WHERE action = 'sensitive_update'`)).toBe(written);
    expect(await count('audit_links')).toBe(await count('audit_events'));
    expect(await trail.verify()).toMatchObject({ code: 0, findings: [], unsealed: 0 });
  });

  it('a busy trail is sound at any time', async () => {
    const state = { running: true };
    const done = Promise.all(Array.from({ length: writers }, () => write(state)));
    for (let round = 0; round < 3; round++) expect(await trail.verify()).toMatchObject({ code: 0, findings: [] });
    state.running = false;
    await done;
  });
});

describe('the role of the service [ASVS 13.2.2]', () => {
  it.each(['audit_links', 'audit_checkpoints', 'audit_anchors', 'audit_exports'])(
    'adds rows to %s, and changes and deletes none',
    async (table) => {
      const role = `of_${table}_${randomBytes(4).toString('hex')}`;
      await trail.app.sql(`CREATE ROLE ${role}`);
      try {
        const statements = await grantRuntimeRole({ connectionString: trail.app.database.url }, role, true);
        expect(statements).toContain(`GRANT SELECT, INSERT ON TABLE public."${table}" TO "${role}"`);
      } finally {
        await trail.app.sql(`DROP ROLE ${role}`);
      }
    },
  );
});
