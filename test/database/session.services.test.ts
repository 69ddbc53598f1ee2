import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, describe, expect, it } from 'vitest';
import { createService } from '../../src/app.js';
import { bootFailure } from '../../src/boot-failure.js';
import { readConfig } from '../../src/config/index.js';
import { signUp } from '../support/actors.js';
import { startApp, type TestApp } from '../support/app.js';
import { services } from '../support/profile.js';
import { serverUser } from '../support/tls-servers.js';
import { SamplesModule } from '../support/sample/samples.module.js';
import { freePort } from '../../scripts/free-port.js';

const chosen = services();

/** What an administrator may have set for the database. */
async function setForDatabase(app: TestApp, settings: Readonly<Record<string, string>>): Promise<void> {
  const [row] = await app.sql<{ name: string }>('SELECT current_database() AS name');
  for (const [name, value] of Object.entries(settings))
    await app.sql(`ALTER DATABASE ${row?.name} SET ${name} = '${value}'`);
}

// Databases and a pooler of the test's own, on the server of the services profile.
const names: string[] = [];
const administer = async (statement: string, database = new URL(chosen.databaseUrl).pathname.slice(1)) => {
  const client = new pg.Client({
    connectionString: Object.assign(new URL(chosen.databaseUrl), { pathname: `/${database}` }).href,
  });
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
  const config = readConfig({
    DATA_DIRECTORY: directory,
    ARGON2_MEMORY_KIB: '19456',
    ARGON2_PASSES: '2',
    ...ports,
    DATABASE_URL: url,
  });
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

describe('a database that cannot be worked with: no start, and what to set [practice 7.1]', () => {
  it.each([
    [
      'takes no writes',
      "ENCODING 'UTF8' LOCALE 'C.UTF-8'",
      "SET default_transaction_read_only = 'on'",
      'set the address of the primary',
    ],
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
    writeFileSync(
      join(home, 'ini'),
      `[databases]\n* = ${server}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = ` +
        `${listen}\nunix_socket_dir =\nauth_type = any\n${settings}\n`,
    );
    const user = serverUser();
    if (user.uid !== undefined)
      for (const path of [home, join(home, 'ini')]) chownSync(path, user.uid, user.gid ?? user.uid);
    poolers.push(spawn('/usr/sbin/pgbouncer', [join(home, 'ini')], { ...user, stdio: 'ignore' }));
    const through = Object.assign(new URL(url), { hostname: '127.0.0.1', port: String(listen) }).href;
    await expect.poll(async () => connects(through), { timeout: 10_000 }).toBe(true);
    return through;
  }
  const connects = async (url: string) => {
    const client = new pg.Client({ connectionString: url });
    return client
      .connect()
      .then(() => client.end())
      .then(
        () => true,
        () => false,
      );
  };

  it('as it comes, it refuses the settings of a session: no start, with the variable and the fix', async () => {
    const { url } = await makeDatabase("ENCODING 'UTF8' LOCALE 'C.UTF-8'");
    expect(await bootFault(await throughPooler(url))).toMatch(
      /1 fault:\n {2}- DATABASE_URL: a pooler \(PgBouncer\) refuses .*: connect to PostgreSQL itself, or /,
    );
  });

  const ignoring =
    'ignore_startup_parameters = options,statement_timeout,lock_timeout,idle_in_transaction_session_timeout';

  it('told to drop them: the service sees that they are not in force, and does not start', async () => {
    const { name, url } = await makeDatabase("ENCODING 'UTF8' LOCALE 'C.UTF-8'");
    await administer(`ALTER DATABASE ${name} SET TimeZone = 'Asia/Tokyo'`);
    const fault = await bootFault(await throughPooler(url, ignoring));
    for (const setting of ['TimeZone = Asia/Tokyo', 'statement_timeout', 'lock_timeout', 'idle_in_transaction'])
      expect(fault).toContain(setting);
  });

  it.each(['session', 'transaction'])(
    'pooling by %s, with the settings given to the database: the service works',
    async (mode) => {
      const app = await startApp({ modules: [SamplesModule], instances: 1 });
      await setForDatabase(app, {
        TimeZone: 'UTC',
        DateStyle: 'ISO, MDY',
        client_encoding: 'UTF8',
        default_transaction_isolation: 'read committed',
        statement_timeout: '3500',
        lock_timeout: '3000',
        idle_in_transaction_session_timeout: '10000',
      });
      const [row] = await app.sql<{ name: string }>('SELECT current_database() AS name');
      await administer(`ALTER DATABASE ${row?.name} SET search_path = public`);
      const pooling = `${ignoring}\npool_mode = ${mode}\nserver_round_robin = 1`;
      await app.restart({ env: { DATABASE_URL: await throughPooler(app.database.url ?? '', pooling) } });
      const alice = await signUp(app, `alice-${mode}`);
      const created = await app.request('POST', '/v1/samples', {
        token: alice.token,
        body: { title: 't', body: 'b' },
      });
      expect(created.status).toBe(201);
      // By turns on other sessions, which know nothing of each other: no statement may rely on its session.
      const asked = Array.from({ length: 40 }, () => app.request('GET', '/v1/samples', { token: alice.token }));
      expect(new Set((await Promise.all(asked)).map(({ status }) => status))).toEqual(new Set([200]));
      await app.close();
    },
  );
});
