import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KeyRing } from '@nestjs-secure-template/field-encryption';
import { commands } from '../../src/cli/commands.js';
import { reencryptCommand } from '../../src/cli/keys.js';
import { readConfig } from '../../src/config/index.js';
import { purposes } from '../../src/common/macs.js';
import { Cluster } from '../database/cluster.js';
import { signIn, signUp, type Actor } from '../support/actors.js';
import { startApp, type TestApp } from '../support/app.js';
import { profile } from '../support/profile.js';
import { SamplesModule } from '../support/sample/samples.module.js';
import { unlimited } from '../support/unlimited.js';
import { endBeside, everyEnd } from './ends.js';

// Every command of the operator, run to its end beside the running service, on either database; killed and stopped
// ones: keys.test.ts.

let app: TestApp;
let alice: Actor;

beforeAll(async () => {
  unlimited();
  app = await startApp({ modules: [SamplesModule] });
  alice = await signUp(app, 'alice');
}, 60_000);
afterAll(() => app.close());

const end = endBeside(() => app);
const me = async (token: string) => (await app.request('GET', '/v1/users/me', { token })).status;
const keys = () =>
  app.sql<{ id: string; subject: string; state: string }>('SELECT id::text, subject, state FROM data_keys ORDER BY id');
const ring = async () => KeyRing.load(join(app.dataDirectory, 'keys.json'), purposes);
const plainColumns = () => app.sql('SELECT email, name, phone FROM users WHERE id = $1', [alice.userId]);

const ends: Readonly<Record<string, () => Promise<void>>> = {
  async 'db:migrate'() {
    // The embedded database is migrated by each start, and has no owner: the command says so.
    if (profile().name === 'embedded') await expect(end('db:migrate')).rejects.toThrow('migrates at every start');
    else
      await withCluster(async (cluster) => {
        const as = cluster.config(cluster.env('owner'));
        expect(await end('db:migrate', [], { as })).toMatchObject({
          code: 0,
          output: expect.stringMatching(/^applied \d+_\w+\n/),
        });
        expect(await cluster.postgres.sql('service', 'SELECT count(*)::int AS users FROM users')).toEqual([
          { users: 0 },
        ]);
      });
  },

  async 'db:roles'() {
    if (profile().name === 'embedded') await expect(end('db:roles', ['app'])).rejects.toThrow('has no roles');
    else
      await withCluster(async (cluster) => {
        const as = cluster.config(cluster.env('owner'));
        await end('db:migrate', [], { as });
        expect(await end('db:roles', ['app'], { as })).toMatchObject({ code: 0 });
        const may =
          `SELECT has_table_privilege('app', 'users', 'INSERT') AS writes, has_table_privilege('app', ` +
          `'tombstones', 'DELETE') AS rewrites`;
        expect(await cluster.postgres.sql('service', may)).toEqual([{ writes: true, rewrites: false }]);
      });
  },

  async 'keys:init'() {
    const directory = mkdtempSync(join(tmpdir(), 'service-ring-'));
    const file = join(directory, 'secrets', 'keys.json');
    const as = readConfig({ KEY_RING_FILE: file });
    try {
      expect(await end('keys:init', [], { as })).toMatchObject({
        code: 0,
        output: expect.stringMatching(/back the file up.*KEY_RING_FILE.*db:migrate/s),
      });
      const made = readFileSync(file, 'utf8');
      expect(statSync(file).mode & 0o777).toBe(0o600);
      const loaded = await KeyRing.load(file, purposes);
      for (const purpose of purposes) expect(loaded.active(purpose).id).toContain(purpose);
      await expect(end('keys:init', [], { as })).rejects.toThrow(
        `key ring ${file}: it is there already, and stays as it is`,
      );
      expect(readFileSync(file, 'utf8')).toBe(made);
      for (const { secret } of (JSON.parse(made) as { keys: { secret: string }[] }).keys)
        expect(secret).toMatch(/^[\w-]{43}$/);
    } finally {
      rmSync(directory, { recursive: true });
    }
  },

  async 'keys:status'() {
    const { code, output } = await end('keys:status', ['--json']);
    const status = JSON.parse(output.slice(output.indexOf('{'))) as { fields: Record<string, { cells: number }> };
    const [{ users } = {}] = await app.sql('SELECT count(*)::int AS users FROM users');
    expect([code, status.fields['User.email']?.cells]).toEqual([0, users]);
  },

  async 'keys:verify'() {
    expect(await end('keys:verify')).toMatchObject({ code: 0, output: expect.stringContaining(' 0 faults') });
    const [before] = await plainColumns();
    await app.sql('UPDATE users SET name = email WHERE id = $1', [alice.userId]);
    const found = await end('keys:verify');
    await app.sql('UPDATE users SET name = $1 WHERE id = $2', [before?.['name'], alice.userId]);
    expect(found).toMatchObject({ code: 1, output: expect.stringContaining(`User.name ${alice.userId} broken-cell`) });
  },

  async 'keys:encrypt-existing'() {
    await app.sql('ALTER TABLE users DROP CONSTRAINT users_phone_check');
    await app.sql(`UPDATE users SET phone = '+41 44 668 18 00' WHERE id = $1`, [alice.userId]);
    expect(await end('keys:encrypt-existing')).toMatchObject({
      code: 0,
      output: expect.stringContaining('sealed 1 values'),
    });
    await app.sql('ALTER TABLE users ADD CONSTRAINT users_phone_check CHECK (is_sealed_cell(phone))');
    const { body } = await app.request('GET', '/v1/users/me', { token: (await signIn(app, alice)).token });
    expect(body).toMatchObject({ phone: '+41 44 668 18 00' });
  },

  async 'keys:rotate'() {
    // Both steps of a ring that is carried: nothing has to be waited for. Under load, with all that moves:
    // keys.test.ts.
    const before = (await ring()).active('refresh-token').id;
    expect(await end('keys:rotate', ['refresh-token', '--ring-only'])).toMatchObject({ code: 0 });
    expect(await end('keys:rotate', ['refresh-token', '--ring-only'])).toMatchObject({
      code: 0,
      output: expect.stringContaining('rotation is complete'),
    });
    expect((await ring()).all('refresh-token').map(({ state }) => state)).toEqual(['active', 'retired']);
    expect((await ring()).active('refresh-token').id).not.toBe(before);
  },

  async 'keys:retire'() {
    const old = (await ring()).all('refresh-token').find(({ state }) => state === 'retired')?.id ?? '';
    expect(await end('keys:retire', ['refresh-token', old])).toMatchObject({
      code: 1,
      output: expect.stringContaining(`${old} stays`),
    });
    expect(await end('keys:retire', ['refresh-token', old, '--accept-loss'])).toMatchObject({
      code: 0,
      output: `removed ${old}\n`,
    });
    expect((await ring()).find('refresh-token', old)).toBeUndefined();
  },

  async 'keys:reencrypt'() {
    await app.mailQuiet();
    const [before, cells] = [await keys(), await plainColumns()];
    const command = reencryptCommand({ forgotten: 200, read: 50 });
    const { code, output } = await end('keys:reencrypt', [], { command });
    const replaced = before.filter(({ state }) => state !== 'destroyed');
    expect([code, output]).toEqual([
      0,
      expect.stringMatching(
        new RegExp(
          `${replaced.length} new data keys, \\d+ cells sealed anew, ${replaced.length} old data keys destroyed`,
        ),
      ),
    ]);
    // Those of nobody too: of the stand-in, the outbox and the signing keys. Only the mark of the erased is left.
    const after = await keys();
    const kept = after.filter(({ id }) => before.some((key) => key.id === id));
    expect([kept.every(({ state }) => state === 'destroyed'), after.some(({ state }) => state === 'retired')]).toEqual([
      true,
      false,
    ]);
    expect(after.map(({ subject }) => subject)).toEqual(
      expect.arrayContaining(['stand-in', 'outgoing-mail', 'signing-keys', alice.userId]),
    );
    expect(await plainColumns()).not.toEqual(cells);
    await app.auditEvent(
      'crypt_key_rotated',
      ({ details }) => (details as { destroyed?: number }).destroyed === replaced.length,
    );
    // The instances of the test still hold the old keys: they were not given the minute in which they forget.
    await app.restart();
    expect(await me((await signIn(app, alice)).token)).toBe(200);
    expect(await end('keys:verify')).toMatchObject({ code: 0, output: expect.stringContaining(' 0 faults') });
  },
};

async function withCluster(work: (cluster: Cluster) => Promise<void>): Promise<void> {
  const cluster = await Cluster.start();
  try {
    await work(cluster);
  } finally {
    await cluster.stop();
  }
}

describe('every command of the operator comes to its end [practice 7.3] [ASVS 11.2.2]', () => {
  it('none is without a test here', () => {
    const tested = [...Object.keys(ends), ...Object.keys(everyEnd)];
    expect(tested.toSorted(), 'let commands.ts beside the tests of the feature try it').toEqual(
      // A response that is made of another command is that command.
      commands.flatMap(({ name, response }) => (name === response ? [] : [name])),
    );
  });

  it.each(Object.entries(everyEnd))('%s does what it says', (_, test) => test(app, end), 90_000);
  it.each(Object.entries(ends))('%s does what it says', (_, test) => test(), 90_000);
});

describe('the calendar of key rotation [practice 7.3] [ASVS 11.2.2]', () => {
  it.each(purposes)('says when the key of the purpose %s is rotated, and the runbook of a leak names it', (purpose) => {
    const page = readFileSync('docs/practices/key-rotation.md', 'utf8');
    const section = (name: string) => page.split(/^## /m).find((text) => text.startsWith(name)) ?? '';
    expect([
      section('Calendar').includes(purpose),
      section('Runbook: a key leaked').includes(`\`${purpose}\``),
    ]).toEqual([true, true]);
  });
});
