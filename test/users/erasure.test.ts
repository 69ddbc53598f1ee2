import { randomUUIDv7 } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dbAfterRestore } from '../../src/users/after-restore.command.js';
import { usersErase } from '../../src/users/users-erase.command.js';
import { CONFIG, readConfig, type Config } from '../../src/config/index.js';
import { Database } from '../../src/database/index.js';
import { ErasureService, Tombstones } from '../../src/users/index.js';
import { signUp, type Actor } from '../support/actors.js';
import { startApp, type TestApp } from '../support/app.js';
import { leaveEveryTrace } from '../support/every-trace.js';
import { neverIssued } from '../support/http.js';
import { SamplesModule } from '../support/sample/samples.module.js';

let app: TestApp;
let alice: Actor;
let vic: Actor;

beforeAll(async () => {
  app = await startApp({ modules: [SamplesModule] });
  [alice, vic] = await Promise.all([signUp(app, 'alice'), signUp(app, 'victor')]);
});
afterAll(() => app.close());

const erase = (actor: Actor) => app.request('DELETE', '/v1/users/me', { token: actor.token });

describe('export of personal data [practice 7.3]', () => {
  it('gives all that the service knows of the caller, in clear, and nothing of others or of secrets', async () => {
    const { status, body, text } = await app.request('GET', '/v1/users/me/export', { token: alice.token });
    expect(status).toBe(200);
    expect(body).toMatchObject({ account: { email: alice.email, name: alice.name } });
    expect(body.sessions.length).toBeGreaterThan(0);
    expect(body.events.length).toBeGreaterThan(0);
    const hidden = [alice.password, alice.refreshToken, 'enc:v1:', 'argon2', 'refreshCounter'];
    for (const foreign of [vic.email, vic.name, ...hidden])
      expect([foreign, text.includes(foreign)]).toEqual([foreign, false]);
  });
});

describe('erasure [practice 7.3]', () => {
  it('destroys the data key: a copy of the rows cannot be read, put back it answers no value', async () => {
    const person = await signUp(app, 'erased');
    const backup = await copyOf(person);
    expect((await erase(person)).status).toBe(204);
    const keys = await app.sql('SELECT state, wrapped FROM data_keys WHERE subject = $1', [person.userId]);
    expect(keys).toEqual([{ state: 'destroyed', wrapped: null }]);
    await backup.putBack();
    const login = await app.request('POST', '/v1/auth/login', {
      body: { email: person.email, password: person.password },
    });
    expect([401, 500]).toContain(login.status);
    await app.auditEvent('crypt_decrypt_fail', ({ details }) => (details as { code: string }).code === 'destroyed-key');
    await app.sql('DELETE FROM users WHERE id = $1', [person.userId]);
  });

  it('leaves a tombstone with the bare id, and nothing else of the person in any table', async () => {
    const person = await signUp(app, 'traces');
    await leaveEveryTrace(app, person);
    const expected = [...(await tablesAboutUsers()), 'audit_events', 'data_keys'].toSorted();
    expect(await tablesWith(person.userId), 'let traces.ts beside the tests of the feature leave a row').toEqual(
      expected,
    );
    expect((await erase(person)).status).toBe(204);
    expect(await app.sql('SELECT subject FROM tombstones WHERE subject = $1', [person.userId])).toHaveLength(1);
    expect(await tablesWith(person.userId)).toEqual(['audit_events', 'data_keys', 'tombstones']);
  });

  it.each(['an operator', 'the person'])(
    'the address was registered again before %s erases: nothing of it is left',
    async (who) => {
      const person = await signUp(app, 'registered');
      const register = () => app.request('POST', '/v1/auth/register', { body: { email: person.email } });
      const before = await keysInUse();
      await register();
      expect(await keysInUse()).toBe(before + 1);
      const [cells] = await app.sql('SELECT id FROM one_time_tokens ORDER BY created_at DESC LIMIT 1');
      if (who === 'the person') await erase(person);
      else expect(await usersErase.run(sameConfig(), [person.email])).toBe(0);
      const left = 'SELECT id FROM one_time_tokens WHERE id = $1 UNION ALL SELECT id FROM users WHERE id = $2';
      expect(await app.sql(left, [cells?.['id'], person.userId])).toEqual([]);
      expect(
        await app.sql('SELECT state FROM data_keys WHERE subject = ANY ($1)', [[person.userId, cells?.['id']]]),
      ).toEqual([{ state: 'destroyed' }]);
      // Its own key, and that of the registration.
      expect(await keysInUse()).toBe(before - 1);
    },
  );

  it('the disk refuses the tombstone: 204, gone, an alarm, and the next start writes it', async () => {
    const person = await signUp(app, 'full-disk');
    renameSync(tombstones(), `${tombstones()}.aside`);
    mkdirSync(tombstones());
    expect((await erase(person)).status).toBe(204);
    for (const instance of app.instances) {
      expect((await instance.request('GET', '/v1/users/me', { token: person.token })).status).toBe(401);
    }
    await app.auditEvent('sys_error', ({ target_id }) => target_id === person.userId);
    rmdirSync(tombstones());
    renameSync(`${tombstones()}.aside`, tombstones());
    await app.restart();
    expect(linesOf(tombstones())).toContain(person.userId);
  });

  it('erases an id that nobody has: no tombstone, or a stranger could fill the file', async () => {
    expect(await app.on(0).service.app.get(ErasureService, { strict: false }).erase(neverIssued)).toBe(false);
    expect(await app.sql('SELECT FROM tombstones WHERE subject = $1', [neverIssued])).toEqual([]);
    expect(linesOf(tombstones())).not.toContain(neverIssued);
  });

  it('is asked for ten times at once: one succeeds, and the others find nobody', async () => {
    const person = await signUp(app, 'hasty');
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        app.on(index).request('DELETE', '/v1/users/me', { token: person.token }),
      ),
    );
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 204)).toHaveLength(1);
    expect(statuses.filter((status) => ![204, 401, 404].includes(status))).toEqual([]);
    const alarms = await app.sql(`SELECT FROM audit_events WHERE action = 'crypt_decrypt_fail' AND target_id = $1`, [
      person.userId,
    ]);
    expect(alarms).toEqual([]);
  });

  it('the address is free again: somebody new may sign up, and gets another id and key', async () => {
    const person = await signUp(app, 'returner');
    await erase(person);
    const registered = await app.request('POST', '/v1/auth/register', { body: { email: person.email } });
    expect(registered.status).toBe(202);
    const [row] = await app.sql<{ id: string }>('SELECT id FROM one_time_tokens ORDER BY created_at DESC LIMIT 1');
    expect(row?.id).not.toBe(person.userId);
  });
});

describe('restore of a backup [practice 7.3]', () => {
  it('brings an erased person back: the service refuses to start until the erasure is repeated', async () => {
    const person = await signUp(app, 'risen');
    const backup = await copyOf(person);
    await erase(person);
    expect(linesOf(tombstones())).toContain(person.userId);
    // The restore: rows, key and tombstones as they were before the erasure.
    await backup.putBack({ withKey: true });
    await app.sql('DELETE FROM tombstones WHERE subject = $1', [person.userId]);
    await expect(app.restart()).rejects.toThrow('db:after-restore');
    expect(await dbAfterRestore.run(sameConfig(), [])).toBe(0);
    await app.restart();
    expect(await app.sql('SELECT id FROM users WHERE id = $1', [person.userId])).toEqual([]);
    expect(await app.sql('SELECT state FROM data_keys WHERE subject = $1', [person.userId])).toEqual([
      { state: 'destroyed' },
    ]);
    expect((await app.request('GET', '/v1/users/me', { token: person.token })).status).toBe(401);
  });

  it('a crash between commit and file: the next start writes what is missing', async () => {
    const person = await signUp(app, 'crash');
    await erase(person);
    writeFileSync(tombstones(), readFileSync(tombstones(), 'utf8').replace(`${person.userId}\n`, ''));
    // Half of a line that was never finished must not swallow what comes after it.
    appendFileSync(tombstones(), person.userId.slice(0, 20));
    await app.restart();
    expect(linesOf(tombstones())).toContain(person.userId);
  });

  it('knows of somebody only by the file: the erasure is repeated once, and the service starts', async () => {
    const subject = '01890000-0000-7000-8000-00000000e1a5';
    appendFileSync(tombstones(), `${subject}\n${subject}\n`);
    await expect(app.restart()).rejects.toThrow('before 1 erasures');
    expect(await dbAfterRestore.run(sameConfig(), [])).toBe(0);
    await app.restart();
    expect(await app.sql('SELECT subject::text FROM tombstones WHERE subject = $1', [subject])).toEqual([{ subject }]);
  });
});

describe('the file of tombstones [practice 7.3]', () => {
  const ofConfig = (more: object) => {
    const { service } = app.on(0);
    const config = { ...service.app.get<Config>(CONFIG, { strict: false }), ...more };
    return new Tombstones(service.app.get(Database, { strict: false }), config, app.clock);
  };

  it('a fresh instance of production finds users and no file: it does not start', async () => {
    const tombstoneFile = join(app.dataDirectory, 'fresh.txt');
    const fresh = ofConfig({ production: true, tombstoneFile });
    await expect(fresh.assertNoErasedUsersRestored()).rejects.toThrow('TOMBSTONE_FILE: the file is missing');
    await expect(fresh.risen()).rejects.toThrow('TOMBSTONE_FILE: the file is missing');
    expect(existsSync(tombstoneFile)).toBe(false);
    writeFileSync(tombstoneFile, '');
    await fresh.assertNoErasedUsersRestored();
    const known = await app.sql<{ subject: string }>('SELECT subject::text FROM tombstones');
    expect(linesOf(tombstoneFile).toSorted()).toEqual(known.map(({ subject }) => subject).toSorted());
  });

  it('an empty database makes it, and from then on it must be there', async () => {
    const tombstoneFile = join(app.dataDirectory, 'first.txt');
    const people = {
      user: { findFirst: async (): Promise<object | null> => null },
      tombstone: { findMany: async () => [] },
    };
    const first = new Tombstones(
      { client: people } as unknown as Database,
      { production: true, tombstoneFile } as Config,
      app.clock,
    );
    await first.assertNoErasedUsersRestored();
    expect(statSync(tombstoneFile).mode & 0o777).toBe(0o600);
    rmSync(tombstoneFile);
    people.user.findFirst = async () => ({ id: neverIssued });
    await expect(first.assertNoErasedUsersRestored()).rejects.toThrow('TOMBSTONE_FILE');
  });

  it('cannot be written: the start says so, and the fix', async () => {
    await expect(
      ofConfig({ tombstoneFile: join(app.dataDirectory, 'nowhere', 'tombstones.txt') }).assertNoErasedUsersRestored(),
    ).rejects.toThrow('ENOENT); mend it');
  });

  it('two instances append 100 erasures at once: every line is whole', async () => {
    const tombstoneFile = join(app.dataDirectory, 'both.txt');
    const [one, other] = [ofConfig({ tombstoneFile }), ofConfig({ tombstoneFile })];
    const ids = Array.from({ length: 100 }, () => randomUUIDv7());
    await Promise.all(ids.map((id, index) => (index % 2 ? one : other).append([id])));
    expect(linesOf(tombstoneFile).toSorted()).toEqual(ids.toSorted());
  });
});

/** That of the users, and each that refers to it. */
async function tablesAboutUsers(): Promise<string[]> {
  const rows = await app.sql<{ name: string }>(
    `SELECT DISTINCT conrelid::regclass::text AS name FROM pg_constraint
     WHERE contype = 'f' AND confrelid = 'users'::regclass`,
  );
  return ['users', ...rows.map(({ name }) => name)];
}

/** The tables in which the id stands in any column, by their names. */
async function tablesWith(id: string): Promise<string[]> {
  const columns = await app.sql<{ t: string; c: string }>(
    `SELECT table_name AS t, column_name AS c FROM information_schema.columns WHERE table_schema = 'public' AND ` +
      `data_type IN ('uuid', 'text')`,
  );
  const tables = new Set<string>();
  for (const { t, c } of columns)
    if ((await app.sql(`SELECT 1 FROM "${t}" WHERE "${c}"::text = $1`, [id])).length > 0) tables.add(t);
  return [...tables].toSorted();
}

const tombstones = () => join(app.dataDirectory, 'tombstones.txt');
const linesOf = (file: string) =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
const keysInUse = async () => (await app.sql(`SELECT FROM data_keys WHERE state <> 'destroyed'`)).length;
const sameConfig = () =>
  readConfig({
    DATA_DIRECTORY: app.dataDirectory,
    ...(app.database.url === undefined ? {} : { DATABASE_URL: app.database.url }),
  });

/** The rows of a person as a backup has them. */
async function copyOf({ userId }: Actor) {
  const rows = async (table: string, column: string) =>
    (
      await app.sql<{ row: unknown }>(`SELECT to_jsonb(t) AS row FROM ${table} t WHERE ${column}::text = $1`, [userId])
    ).map(({ row }) => row);
  const copy = {
    users: await rows('users', 'id'),
    password_credentials: await rows('password_credentials', 'user_id'),
  };
  const keys = await rows('data_keys', 'subject');
  const insert = (table: string, row: unknown) =>
    app.sql(`INSERT INTO ${table} SELECT * FROM jsonb_populate_record(NULL::${table}, $1)`, [JSON.stringify(row)]);
  return {
    async putBack({ withKey = false } = {}) {
      if (withKey) {
        await app.sql('DELETE FROM data_keys WHERE subject = $1', [userId]);
        for (const row of keys) await insert('data_keys', row);
      }
      for (const [table, list] of Object.entries(copy)) for (const row of list) await insert(table, row);
    },
  };
}
