import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { bootFailure } from '../../src/boot-failure.js';
import { commands } from '../../src/cli/commands.js';
import { connectionOptions } from '../../src/database/connection.js';
import { grantRuntimeRole, ownerConnection, withClient } from '../../src/database/index.js';
import { signUp } from '../support/actors.js';
import { startApp, type TestApp } from '../support/app.js';
import { SamplesModule } from '../support/sample/samples.module.js';
import { createSample } from '../support/sample/samples.js';
import { roleWithoutCertificate } from '../support/tls-servers.js';
import { Cluster } from './cluster.js';

// The one user of the embedded database is its superuser: roles exist on PostgreSQL only.
let cluster: Cluster;
let production: Record<string, string>;

beforeAll(async () => {
  cluster = await Cluster.start();
  production = await cluster.productionEnv();
}, 120_000);
afterAll(() => cluster.stop());

/** A command as the role; its output, or the line that it fails with. */
const cli = async (role: string, name: string, ...args: string[]): Promise<string> => {
  let output = '';
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => Boolean((output += String(text))));
  const config = cluster.config(cluster.env(role));
  try {
    await commands.find((command) => command.name === name)?.run(config, args);
    return output;
  } catch (error) {
    return bootFailure(error, config);
  } finally {
    write.mockRestore();
  }
};
/** What PostgreSQL says to the statement: `done`, or its code. */
const as = (role: string, sql: string): Promise<string> =>
  withClient(connectionOptions(cluster.config(cluster.env(role)), undefined), (client) =>
    client.query(sql).then(
      () => 'done',
      (error: { code: string }) => error.code,
    ),
  );
const administer = (sql: string) => cluster.postgres.sql('service', sql);
const rights = () =>
  administer(`SELECT relname, relacl::text FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY relname`);
const denied = '42501';

describe('the roles are made [ASVS 13.2.2] [practice 7.1]', () => {
  it('nothing is migrated: production, and a command as the wrong role, stop with the fix', async () => {
    expect(await cluster.bootFault({ ...production, ...cluster.env('app') })).toMatch(
      /DATABASE_URL: \d+ migrations are missing: .*db:migrate/,
    );
    expect(await cli('app', 'db:migrate')).toMatch(/42501.*DATABASE_OWNER_URL/);
    expect(await cli('owner', 'db:roles', 'app')).toContain('run db:migrate first');
  });

  it('the owner migrates, once', async () => {
    expect(await cli('owner', 'db:migrate', '--dry-run')).toMatch(/^would apply \d+_data_protection\n/);
    expect(await cli('owner', 'db:migrate')).toMatch(/^applied \d+_data_protection\n/);
    expect(await cli('owner', 'db:migrate')).toBe('nothing to do: no migration is missing\n');
  });

  it('no such role, or one that needs no grant to do anything: refused, and nothing is changed', async () => {
    const before = await rights();
    expect(await cli('owner', 'db:roles', 'nobody')).toContain('there is no such role');
    expect(await cli('owner', 'db:roles', 'owner')).toContain('owns tables');
    expect(await cli('owner', 'db:roles', 'postgres')).toContain('its role is a superuser');
    expect(await rights()).toEqual(before);
  });

  it('a dry run prints SQL that changes nothing; names that are SQL stay names', async () => {
    const before = await rights();
    await administer(`CREATE ROLE "x"" TO PUBLIC; DROP TABLE users; --"`);
    expect(await cli('owner', 'db:roles', 'x" TO PUBLIC; DROP TABLE users; --', '--dry-run')).toContain(
      'GRANT SELECT, INSERT ON TABLE public."audit_events" TO "x"" TO PUBLIC; DROP TABLE users; --";\n',
    );
    expect(await rights()).toEqual(before);
  });

  it('granted twice: the same rights, and the service in production finds nothing to refuse', async () => {
    expect(await cli('owner', 'db:roles', 'app')).toMatch(/^granted/);
    const once = await rights();
    expect(await cli('owner', 'db:roles', 'app')).toMatch(/^granted/);
    expect(await rights()).toEqual(once);
    expect(await cluster.bootFault({ ...production, ...cluster.env('app') })).toBeUndefined();
  });
});

describe('SQL that reaches the database as the service [ASVS 13.2.2] [ASVS 16.4.2] [practice 7.1]', () => {
  const event =
    'INSERT INTO audit_events (id, at, action, outcome, details, mac_key_id, mac) VALUES (gen_random_uuid(), ' +
    `now(), 'x', 'success', '{}', 'k', 'm')`;

  it.each([
    'CREATE TABLE mine (id int)',
    'CREATE TEMPORARY TABLE audit_events (id int)',
    'CREATE SCHEMA mine',
    'CREATE FUNCTION mine() RETURNS int LANGUAGE sql RETURN 1',
    'CREATE ROLE mine SUPERUSER',
    'ALTER TABLE users ADD COLUMN mine text',
    'ALTER TABLE users DROP CONSTRAINT users_email_check',
    'CREATE OR REPLACE FUNCTION is_sealed_cell(cell text) RETURNS boolean LANGUAGE sql RETURN true',
    'DROP TABLE users CASCADE',
    'TRUNCATE users CASCADE',
    `UPDATE audit_events SET action = 'nothing'`,
    'DELETE FROM audit_events',
    'TRUNCATE audit_events',
    'DROP TRIGGER audit_events_append_only ON audit_events',
    'ALTER TABLE audit_events DISABLE TRIGGER USER',
    'CREATE OR REPLACE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN ' +
      'NULL; END $$',
    'SET session_replication_role = replica',
    'DELETE FROM tombstones',
    `UPDATE _prisma_migrations SET checksum = 'x'`,
    'SET ROLE owner',
    `COPY users TO PROGRAM 'id'`,
    `SELECT pg_read_file('pg_hba.conf')`,
    'SELECT rolpassword FROM pg_authid',
  ])('%s: denied', async (sql) => {
    const owned = /^(ALTER|DROP|CREATE OR REPLACE)/.test(sql);
    expect([sql, await as('app', sql)]).toEqual([sql, denied]);
    // The owner may, so it is the role that stops it.
    if (owned) expect(await as('owner', `BEGIN; ${sql}; ROLLBACK`)).toBe('done');
  });

  it('rows of the service: read and written; audit events: added; later tables: covered', async () => {
    expect(await as('app', 'SELECT * FROM users')).toBe('done');
    expect(await as('app', 'DELETE FROM users')).toBe('done');
    expect(await as('app', event)).toBe('done');
    expect(await as('app', 'SELECT * FROM audit_events')).toBe('done');
    await as('owner', 'CREATE TABLE later (id serial PRIMARY KEY, note text)');
    expect(
      await as('app', `INSERT INTO later (note) VALUES ('x'); UPDATE later SET note = 'y'; DELETE FROM later`),
    ).toBe('done');
    expect(await as('app', 'DROP TABLE later')).toBe(denied);
    expect(await as('owner', 'DROP TABLE later')).toBe('done');
  });
});

describe('a role that may do too much, in production [ASVS 13.2.2]', () => {
  const bootAs = (role: string) => cluster.bootFault({ ...production, ...cluster.env(role) });
  const undo: string[] = [];
  afterEach(async () => {
    for (const sql of undo.splice(0)) await administer(sql);
  });

  it('superuser, or owner of the tables: the service does not start', async () => {
    await cluster.addRole('mighty', 'SUPERUSER');
    expect(await bootAs('mighty')).toMatch(
      /^the configuration has 1 fault:\n  - DATABASE_URL: its role is a superuser.*db:roles <role>\)$/,
    );
    expect(await bootAs('owner')).toMatch(/its role owns tables/);
  });

  it.each([
    ['may become the owner', 'GRANT owner TO app', 'REVOKE owner FROM app', 'owns tables'],
    [
      'may become the owner by SET ROLE only',
      'ALTER ROLE app NOINHERIT; GRANT owner TO app',
      'REVOKE owner FROM app; ALTER ROLE app INHERIT',
      'owns tables',
    ],
    [
      'may create in the schema, as everybody',
      'GRANT CREATE ON SCHEMA public TO PUBLIC',
      'REVOKE CREATE ON SCHEMA public FROM PUBLIC',
      'may create tables',
    ],
    [
      'has a schema that is searched before the real one',
      'CREATE SCHEMA app AUTHORIZATION app',
      'DROP SCHEMA app',
      'owns tables',
    ],
    [
      'owns the function of the trigger',
      'ALTER FUNCTION refuse_audit_change() OWNER TO app',
      'ALTER FUNCTION refuse_audit_change() OWNER TO owner',
      'owns tables',
    ],
    [
      'owns the database',
      'ALTER DATABASE service OWNER TO app',
      'ALTER DATABASE service OWNER TO owner',
      'owns tables',
    ],
    [
      'may pretend that a migration is there',
      'GRANT UPDATE ON _prisma_migrations TO app',
      'REVOKE UPDATE ON _prisma_migrations FROM app',
      'may change or delete rows of',
    ],
    [
      'may create schemas',
      'GRANT CREATE ON DATABASE service TO app',
      'REVOKE CREATE ON DATABASE service FROM app',
      'may create tables',
    ],
    [
      'may hide tables behind temporary ones',
      'GRANT TEMPORARY ON DATABASE service TO PUBLIC',
      'REVOKE TEMPORARY ON DATABASE service FROM PUBLIC',
      'may create tables',
    ],
    [
      'may delete audit events',
      'GRANT DELETE ON audit_events TO app',
      'REVOKE DELETE ON audit_events FROM app',
      'may change or delete rows of audit_events',
    ],
    [
      'may change one column of audit events',
      'GRANT UPDATE (mac) ON audit_events TO app',
      'REVOKE UPDATE (mac) ON audit_events FROM app',
      'may change or delete rows of audit_events',
    ],
    [
      'writes everything by a role of the server',
      'GRANT pg_write_all_data TO app',
      'REVOKE pg_write_all_data FROM app',
      'may change or delete rows of audit_events',
    ],
    [
      'runs programs of the server',
      'GRANT pg_execute_server_program TO app',
      'REVOKE pg_execute_server_program FROM app',
      'may make roles or databases, copy the server',
    ],
    ['may make roles', 'ALTER ROLE app CREATEROLE', 'ALTER ROLE app NOCREATEROLE', 'may make roles or databases'],
  ])('%s: the service does not start, and says why in one line', async (_, grant, revoke, line) => {
    await administer(grant);
    undo.push(revoke);
    expect(await bootAs('app')).toContain(`DATABASE_URL: its role ${line}`);
  });

  it('db:roles takes back what the owner had given on the tables', async () => {
    await as('owner', 'GRANT UPDATE (mac), DELETE ON audit_events TO app; GRANT ALL ON audit_events TO PUBLIC');
    expect(await bootAs('app')).toContain('rows of audit_events');
    expect(await cli('owner', 'db:roles', 'app')).toMatch(/^granted/);
    expect(await bootAs('app')).toBeUndefined();
  });
});

describe('the service as a role without rights on tables', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startApp({ modules: [SamplesModule], instances: 1 });
  });
  afterAll(() => app.close());

  // With: logging.
  it('development as superuser: starts, and the log says what production would refuse', () => {
    const warnings = app.logs().filter((line) => String(line['message']).includes('production would refuse'));
    expect(warnings.map(({ message }) => message)).toEqual([expect.stringContaining('superuser')]);
  });

  it('production, over verified TLS: sign up, sign in, write, delete, log out', async () => {
    const files = {
      TLS_CERTIFICATE_FILE: join(app.dataDirectory, 'tls/server.crt'),
      TLS_KEY_FILE: join(app.dataDirectory, 'tls/server.key'),
    };
    // A later table of the owner, as a feature brings one: db:roles has covered it.
    expect(await as('owner', readFileSync('test/support/sample/sample.sql', 'utf8'))).toBe('done');
    await app.restart({ env: { ...production, ...cluster.env('app'), ...files } });
    const alice = await signUp(app, 'alice');
    const { id, etag } = await createSample(app, alice);
    expect(
      (await app.request('DELETE', `/v1/samples/${id}`, { token: alice.token, headers: { 'if-match': etag } })).status,
    ).toBe(204);
    expect((await app.request('POST', '/v1/auth/logout', { token: alice.token })).status).toBe(204);
    expect(await administer(`SELECT count(*)::int FROM users`)).toEqual([{ count: 1 }]);
  });

  it('production with DATABASE_OWNER_URL: migrates by itself, but takes no right for the service', async () => {
    await cluster.addRole(roleWithoutCertificate);
    await administer(`CREATE DATABASE second OWNER ${roleWithoutCertificate}`);
    const owner = cluster.postgres.url(roleWithoutCertificate, 'second');
    const env = {
      ...production,
      ...cluster.env('app'),
      DATABASE_URL: cluster.postgres.url('app', 'second'),
      DATABASE_OWNER_URL: owner,
    };
    expect(await cluster.bootFault(env)).toMatch(/42501.*the service needs db:roles/);
    await grantRuntimeRole(ownerConnection(cluster.config(env)), 'app');
    expect(await cluster.bootFault(env)).toBeUndefined();
  });

  it("audit:prune: the service's role may not, the owner of the table deletes [ASVS 16.4.2]", async () => {
    const sql = (text: string) => cluster.postgres.sql('second', text);
    await sql(`INSERT INTO audit_events (id, at, action, outcome, details, mac_key_id, mac)
        VALUES ('00000000-0000-7000-8000-000000000000', now() - interval '91 days', 'authz_fail', 'denied', '{}',
          'k', 'm')`);
    const old = () => sql(`SELECT count(*)::int AS count FROM audit_events WHERE action = 'authz_fail'`);
    const env = { ...production, ...cluster.env('app'), DATABASE_URL: cluster.postgres.url('app', 'second') };
    const prune = (more = {}) =>
      commands.find(({ name }) => name === 'audit:prune')?.run(cluster.config({ ...env, ...more }), []);
    await expect(prune()).rejects.toThrow('DATABASE_OWNER_URL: set it');
    const owner = cluster.postgres.url(roleWithoutCertificate, 'second');
    expect(await prune({ DATABASE_OWNER_URL: owner })).toBe(0);
    // Whether the command deletes that one says retention.test.ts; the role of the service never can.
    const deletion = `BEGIN; SET LOCAL audit.pruning = 'on'; DELETE FROM audit_events WHERE action = 'authz_fail';
      COMMIT`;
    const run = (url: string) =>
      withClient(connectionOptions(cluster.config({ ...env, DATABASE_URL: url }), undefined), (client) =>
        client.query(deletion),
      );
    await expect(run(cluster.postgres.url('app', 'second'))).rejects.toMatchObject({ code: denied });
    await run(owner);
    expect(await old()).toEqual([{ count: 0 }]);
  });
});
