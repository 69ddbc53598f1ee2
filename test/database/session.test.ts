import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createService } from '../../src/app.js';
import { bootFailure } from '../../src/boot-failure.js';
import { Macs } from '../../src/common/macs.js';
import { readConfig } from '../../src/config/index.js';
import { isGenuine, type AuditEntry } from '../../src/security/audit/audit-entry.js';
import { signIn, signUp, type Actor } from '../support/actors.js';
import { startApp, type TestApp } from '../support/app.js';
import { profile } from '../support/profile.js';
import { freePort, serverUser } from '../support/tls-servers.js';

const chosen = profile();

/** What an administrator may have set for the database. */
async function setForDatabase(app: TestApp, settings: Readonly<Record<string, string>>): Promise<void> {
  const [row] = await app.sql<{ name: string }>('SELECT current_database() AS name');
  for (const [name, value] of Object.entries(settings)) await app.sql(`ALTER DATABASE ${row?.name} SET ${name} = '${value}'`);
}

describe('a database whose sessions are set to something else [practice 7.1]', () => {
  let app: TestApp;
  let alice: Actor;
  beforeAll(async () => {
    app = await startApp({ instances: 1 });
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
        actorId: column('actor_id'), sessionId: column('session_id'), targetType: column('target_type'),
        targetId: column('target_id'), requestId: column('request_id'), macKeyId: column('mac_key_id') ?? '',
      };
    });

  it('an instant is stored as it is, and read back as it was', async () => {
    const created = await app.request('POST', '/v1/resources', { token: alice.token, body: { title: 't', body: 'b' } });
    expect(Math.abs(Date.parse(created.body.createdAt) - Date.now())).toBeLessThan(60_000);
    const [row] = await app.sql<{ age: string }>('SELECT abs(extract(epoch FROM now() - created_at)) AS age FROM public.resources WHERE id = $1', [created.body.id]);
    expect(Number(row?.age)).toBeLessThan(60);
  });

  it('another form of dates, and another schema first: the service finds its own tables, and reads what is in them', async () => {
    await setForDatabase(app, { search_path: 'pg_catalog', DateStyle: 'German' });
    await app.restart();
    const created = await app.request('POST', '/v1/resources', { token: alice.token, body: { title: 't', body: 'b' } });
    await setForDatabase(app, { search_path: 'public', DateStyle: 'ISO' });
    expect(created.status).toBe(201);
    expect(Math.abs(Date.parse(created.body.createdAt) - Date.now())).toBeLessThan(60_000);
  });

  it('replays a used refresh token in the hour that the zone skips: 401, and every audit event of that hour is genuine [A2-4]', async () => {
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

// Databases and a pooler of the test's own, on the server of the services profile.
if (chosen.name === 'services') {
  const names: string[] = [];
  const administer = async (statement: string, database = new URL(chosen.databaseUrl).pathname.slice(1)) => {
    const client = new pg.Client({ connectionString: Object.assign(new URL(chosen.databaseUrl), { pathname: `/${database}` }).href });
    await client.connect();
    try {
      await client.query(statement);
    } finally {
      await client.end();
    }
  };
  const makeDatabase = async (options: string): Promise<{ name: string; url: string }> => {
    const name = `test_${process.env['TEST_RUN'] ?? 'run'}_${randomBytes(6).toString('hex')}`;
    names.push(name);
    await administer(`CREATE DATABASE ${name} TEMPLATE template0 ${options}`);
    return { name, url: Object.assign(new URL(chosen.databaseUrl), { pathname: `/${name}` }).href };
  };
  const directory = mkdtempSync(join(tmpdir(), 'service-session-'));
  const bootFault = async (url: string): Promise<string | undefined> => {
    const ports = { HTTPS_PORT: '0', HTTP_PORT: '0', INTERNAL_PORT: '0' };
    const config = readConfig({ DATA_DIRECTORY: directory, ARGON2_MEMORY_KIB: '19456', ARGON2_PASSES: '2', ...ports, DATABASE_URL: url });
    try {
      await (await createService(config)).close();
      return undefined;
    } catch (error) {
      return bootFailure(error, config);
    }
  };
  afterAll(async () => {
    for (const name of names) await administer(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    rmSync(directory, { recursive: true, force: true });
  });

  describe('a database that the service cannot work with: it does not start, and says what to set [practice 7.1]', () => {
    it.each([
      ['takes no writes', "ENCODING 'UTF8' LOCALE 'C.UTF-8'", "SET default_transaction_read_only = 'on'", 'set the address of the primary'],
      ['has the locale C, in which Ж has no small letter', "ENCODING 'UTF8' LOCALE 'C'", undefined, "LOCALE 'C.UTF-8'"],
      ['stores bytes of any encoding', "ENCODING 'SQL_ASCII' LOCALE 'C'", undefined, "ENCODING 'UTF8'"],
      ['stores LATIN1', "ENCODING 'LATIN1' LOCALE 'C'", undefined, "ENCODING 'UTF8'"],
    ])('%s', async (_name, options, setting, fix) => {
      const { name, url } = await makeDatabase(options);
      if (setting !== undefined) await administer(`ALTER DATABASE ${name} ${setting}`);
      const fault = await bootFault(url);
      expect(fault).toMatch(/^the configuration has 1 fault:\n {2}- DATABASE_URL: /);
      expect(fault).toContain(fix);
    });
  });

  describe('PgBouncer in between [practice 7.1]', () => {
    const poolers: ChildProcess[] = [];
    const homes: string[] = [];
    afterAll(async () => {
      for (const pooler of poolers) pooler.kill('SIGKILL');
      for (const home of homes) rmSync(home, { recursive: true, force: true });
    });

    /** @returns the URL of the database through a PgBouncer of its own. */
    async function throughPooler(url: string, settings = ''): Promise<string> {
      const home = mkdtempSync(join(tmpdir(), 'pgbouncer-'));
      homes.push(home);
      const { hostname, port, username, password } = new URL(url);
      const listen = await freePort();
      const server = `host=${hostname} port=${port || 5432} user=${username} password=${password}`;
      writeFileSync(join(home, 'ini'), `[databases]\n* = ${server}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = ${listen}\nunix_socket_dir =\nauth_type = any\n${settings}\n`);
      const user = serverUser();
      if (user.uid !== undefined) for (const path of [home, join(home, 'ini')]) chownSync(path, user.uid, user.gid ?? user.uid);
      poolers.push(spawn('/usr/sbin/pgbouncer', [join(home, 'ini')], { ...user, stdio: 'ignore' }));
      const through = Object.assign(new URL(url), { hostname: '127.0.0.1', port: String(listen) }).href;
      await expect.poll(async () => connects(through), { timeout: 10_000 }).toBe(true);
      return through;
    }
    const connects = async (url: string) => {
      const client = new pg.Client({ connectionString: url });
      return client.connect().then(() => client.end()).then(() => true, () => false);
    };

    it('as it comes, it refuses the settings of a session: the service does not start, and names the variable and the fix', async () => {
      const { url } = await makeDatabase("ENCODING 'UTF8' LOCALE 'C.UTF-8'");
      expect(await bootFault(await throughPooler(url))).toMatch(/1 fault:\n {2}- DATABASE_URL: a pooler \(PgBouncer\) refuses .*: connect to PostgreSQL itself, or /);
    });

    const ignoring = 'ignore_startup_parameters = options,statement_timeout,lock_timeout,idle_in_transaction_session_timeout';

    it('told to drop them: the service sees that they are not in force, and does not start', async () => {
      const { name, url } = await makeDatabase("ENCODING 'UTF8' LOCALE 'C.UTF-8'");
      await administer(`ALTER DATABASE ${name} SET TimeZone = 'Asia/Tokyo'`);
      const fault = await bootFault(await throughPooler(url, ignoring));
      for (const setting of ['TimeZone = Asia/Tokyo', 'statement_timeout', 'lock_timeout', 'idle_in_transaction']) expect(fault).toContain(setting);
    });

    it.each(['session', 'transaction'])('pooling by %s, with the settings given to the database: the service works', async (mode) => {
      const app = await startApp({ instances: 1 });
      await setForDatabase(app, {
        TimeZone: 'UTC', DateStyle: 'ISO, MDY', client_encoding: 'UTF8', default_transaction_isolation: 'read committed',
        statement_timeout: '3500', lock_timeout: '3000', idle_in_transaction_session_timeout: '10000',
      });
      const [row] = await app.sql<{ name: string }>('SELECT current_database() AS name');
      await administer(`ALTER DATABASE ${row?.name} SET search_path = public`);
      const url = await throughPooler(app.database.url ?? '', `${ignoring}\npool_mode = ${mode}`);
      await app.restart({ env: { DATABASE_URL: url } });
      const alice = await signUp(app, `alice-${mode}`);
      const created = await app.request('POST', '/v1/resources', { token: alice.token, body: { title: 't', body: 'b' } });
      expect(created.status).toBe(201);
      await app.close();
    });
  });
}
