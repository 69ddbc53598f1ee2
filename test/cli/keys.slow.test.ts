import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signIn, signUp, type Actor } from '../support/actors.js';
import { startApp, type TestApp } from '../support/app.js';
import { unlimited } from '../support/unlimited.js';
import { Operator } from './operator.js';

// The commands as operators run them: processes of their own, beside the running service.

let app: TestApp;
let alice: Actor;
let operator: Operator;

beforeAll(async () => {
  const { status, stderr } = spawnSync(process.execPath, ['scripts/build.ts'], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  // The commands run beside somebody who signs in all the time.
  unlimited();
  app = await startApp();
  operator = new Operator(app);
  alice = await signUp(app, 'alice');
}, 120_000);
afterAll(async () => {
  operator.close();
  await app.close();
});

const start = (...args: string[]) => operator.start(...args);
const run = (...args: string[]) => operator.run(...args);
const ringFile = () => operator.ringFile();
const keys = () => operator.keys();
const active = (purpose: string) => operator.active(purpose);

/**
 * Signs in, refreshes, writes and reads on every instance in turn until it is stopped; hears of each answer that is no
 * success.
 */
function load(actor: Actor) {
  const failures: string[] = [];
  const state = { running: true, requests: 0, phone: '' };
  const request = async (method: string, path: string, parts: object) => {
    const answer = await app.on(state.requests++).request(method, path, parts);
    if (answer.status >= 300) failures.push(`${method} ${path} ${answer.status}`);
    return answer.body;
  };
  const work = async () => {
    while (state.running) {
      const body = { email: actor.email, password: actor.password };
      let tokens = await request('POST', '/v1/auth/login', { body });
      for (let round = 0; round < 5 && state.running; round++) {
        tokens = await request('POST', '/v1/auth/refresh', { body: { refreshToken: tokens.refreshToken } });
        const phone = `+4144${1_000_000 + state.requests}`;
        const written = await request('PATCH', '/v1/users/me', { token: tokens.accessToken, body: { phone } });
        const read = await request('GET', '/v1/users/me', { token: tokens.accessToken });
        if (read.phone !== written.phone) failures.push(`read ${read.phone} after ${written.phone}`);
        state.phone = written.phone;
      }
    }
  };
  const done = work();
  return {
    failures,
    async stop() {
      state.running = false;
      await done;
      return state;
    },
  };
}

describe('keys:rotate beside the running service [practice 7.3] [ASVS 13.3.4]', () => {
  it.each(['pii', 'blind-index', 'refresh-token', 'authority'])(
    '%s: a new key, everything moved, and no request fails',
    async (purpose) => {
      const before = active(purpose);
      const traffic = load(alice);
      const { code, output } = await run('keys:rotate', purpose);
      await new Promise((resolve) => setTimeout(resolve, 2_000));
      const { requests, phone } = await traffic.stop();
      expect([code, traffic.failures, requests > 20]).toEqual([0, [], true]);
      expect(active(purpose)).not.toBe(before);
      for (const { secret } of keys()) expect(output).not.toContain(secret);
      const { token } = await signIn(app, alice);
      expect((await app.request('GET', '/v1/users/me', { token })).body).toMatchObject({ phone });
      expect(
        await app.auditEvent(
          'crypt_key_rotated',
          ({ details }) => (details as { activeKey?: string }).activeKey === active(purpose),
        ),
      ).toMatchObject({ outcome: 'success' });
    },
    60_000,
  );

  it('leaves nothing under the old keys: status says so; the old index key may go, in its time', async () => {
    const status = JSON.parse(
      (await run('keys:status', '--json')).output
        .split('\n')
        .filter((line) => !line.startsWith('counting'))
        .join('\n'),
    );
    expect(status.fields['User.email']).toMatchObject({ retiredIndex: 0, retiredKey: 0 });
    expect(Object.keys(status.dataKeys)).toContain(`pii active local ${active('pii')}`);
    const old = keys().find(({ purpose, state }) => purpose === 'blind-index' && state === 'retired')?.id ?? '';
    expect(await run('keys:retire', 'blind-index', old)).toMatchObject({
      code: 1,
      output: expect.stringContaining('stays'),
    });
    expect(await run('keys:retire', 'blind-index', active('blind-index'))).toMatchObject({
      code: 1,
      output: expect.stringContaining('rotate first'),
    });
    expect(await run('keys:retire', 'audit', active('audit'), '--accept-loss')).toMatchObject({ code: 1 });
    const leaked = keys().find(({ purpose, state }) => purpose === 'refresh-token' && state === 'retired')?.id ?? '';
    expect(await run('keys:retire', 'refresh-token', leaked, '--accept-loss')).toMatchObject({
      code: 0,
      output: expect.stringContaining(`removed ${leaked}`),
    });
  }, 60_000);

  it('is killed between the new key and its use: the next run makes that key the active one', async () => {
    const count = keys().length;
    const killed = start('keys:rotate', 'jwt');
    while (!keys().some(({ state }) => state === 'next')) await new Promise((resolve) => setTimeout(resolve, 20));
    killed.child.kill('SIGKILL');
    await killed.exit;
    const next = keys().find(({ state }) => state === 'next')?.id;
    const one = start('keys:rotate', 'jwt');
    const lock = join(app.dataDirectory, 'keys.json.lock');
    while (!existsSync(lock) || !readFileSync(lock, 'utf8').includes(String(one.child.pid))) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    // Held still with the lock in its hands, however long the other one takes to start.
    one.child.kill('SIGSTOP');
    const two = await run('keys:rotate', 'jwt');
    one.child.kill('SIGCONT');
    expect([await one.exit, two.code]).toEqual([0, 1]);
    expect(two.output).toMatch(/process \d+ on \S+ is changing the key ring/);
    expect([active('jwt'), keys().length]).toEqual([next, count + 1]);
  }, 60_000);

  it('--ring-only changes the file one step at a time, and no row; the run without it finishes', async () => {
    const [before, wrapped] = [
      active('pii'),
      () => app.sql('SELECT id, wrapping_key, wrapped FROM data_keys ORDER BY id'),
    ];
    const rows = await wrapped();
    expect(await run('keys:rotate', 'pii', '--ring-only')).toMatchObject({
      code: 0,
      output: expect.stringMatching(/added pii-\w+, not used yet\ncarry .* run this again to make the key active/),
    });
    const next = keys().find(({ state }) => state === 'next')?.id ?? '';
    expect([active('pii'), next, await wrapped()]).toEqual([before, expect.stringMatching(/^pii-/), rows]);
    expect(await run('keys:rotate', 'pii', '--ring-only')).toMatchObject({
      code: 0,
      output: expect.stringMatching(/carry .* without --ring-only to finish/),
    });
    expect([active('pii'), await wrapped()]).toEqual([next, rows]);
    // Nothing is lost between the steps, and new people are sealed under the new key.
    expect((await app.request('GET', '/v1/users/me', { token: (await signIn(app, alice)).token })).status).toBe(200);
    const count = keys().length;
    expect(await run('keys:rotate', 'pii')).toMatchObject({
      code: 0,
      output: expect.stringMatching(/\d+ data keys wrapped anew, 0 faults/),
    });
    expect([active('pii'), keys().length]).toEqual([next, count]);
    expect(
      await app.sql(
        `SELECT DISTINCT wrapping_key AS key FROM data_keys WHERE purpose = 'pii' AND state <> 'destroyed'`,
      ),
    ).toEqual([{ key: next }]);
  }, 60_000);

  it('--ring-only, for a purpose without anything to move: says that it is complete', async () => {
    await run('keys:rotate', 'one-time-token', '--ring-only');
    const { code, output } = await run('keys:rotate', 'one-time-token', '--ring-only');
    expect([code, output]).toEqual([
      0,
      expect.stringContaining('carry the key ring to every machine; then the rotation is complete'),
    ]);
    expect(output).not.toContain('finish');
  }, 60_000);

  it('--all wraps every data key anew, tells a broken one, and changes neither ring nor secret', async () => {
    const bea = await signUp(app, 'wrapped');
    const rows = () =>
      app.sql(
        `SELECT id, wrapping_key, wrapped FROM data_keys WHERE purpose = 'pii' AND wrapped IS NOT NULL ORDER BY id`,
      );
    const [ring, before] = [ringFile(), await rows()];
    const [spoilt] = before;
    await app.sql(`UPDATE data_keys SET wrapped = 'AAAA' || substr(wrapped, 5) WHERE id = $1`, [spoilt?.['id']]);
    const failed = await run('keys:rotate', 'pii', '--all');
    await app.sql('UPDATE data_keys SET wrapped = $1 WHERE id = $2', [spoilt?.['wrapped'], spoilt?.['id']]);
    expect(failed).toMatchObject({
      code: 1,
      output: expect.stringContaining(`DataKey ${String(spoilt?.['id'])} broken-key`),
    });
    expect(await run('keys:rotate', 'pii', '--all')).toMatchObject({
      code: 0,
      output: expect.stringContaining(`${before.length} data keys wrapped anew, 0 faults`),
    });
    const after = await rows();
    expect([ringFile(), after.map((row) => ({ ...row, wrapped: '' }))]).toEqual([
      ring,
      before.map((row) => ({ ...row, wrapped: '' })),
    ]);
    expect(after.filter(({ wrapped }, at) => wrapped === before[at]?.['wrapped'])).toEqual([]);
    expect((await app.request('GET', '/v1/users/me', { token: bea.token })).body).toMatchObject({ email: bea.email });
    expect(await run('keys:verify')).toMatchObject({ code: 0 });
  }, 60_000);

  it('a dry run changes neither file nor database', async () => {
    const rows = () => app.sql('SELECT md5(string_agg(d::text, chr(10) ORDER BY id)) AS sum FROM data_keys d');
    const before = [ringFile(), await rows()];
    for (const args of [
      ['keys:rotate', 'pii'],
      ['keys:rotate', 'audit'],
      ['keys:reencrypt'],
      ['keys:encrypt-existing'],
    ]) {
      expect(await run(...args, '--dry-run')).toMatchObject({ code: 0, output: expect.stringContaining('would') });
    }
    expect([ringFile(), await rows()]).toEqual(before);
  }, 60_000);

  it.each([
    ['keys:rotate'],
    ['keys:rotate', 'everything'],
    ['keys:reencrypt', '--older-than', 'soon'],
    ['keys:verify', '--fix'],
    ['keys:encrypt-existing', '--model', 'Nobody'],
  ])(
    'is mistyped (%s %s): told how it goes, exit code 2',
    async (...args) =>
      expect(await run(...args.filter((word) => word !== undefined))).toMatchObject({
        code: 2,
        output: expect.stringContaining('usage: '),
      }),
    30_000,
  );
});

describe('keys:reencrypt and keys:verify beside the running service [practice 7.3] [ASVS 11.2.2]', () => {
  it('is killed, terminated, and run again beside live writes: every cell opens, no write is lost', async () => {
    for (let at = 0; at < 3; at++) await signIn(app, alice);
    // Enough cells that there is a middle to be killed in.
    await Promise.all(
      Array.from({ length: 60 }, (_, at) =>
        app.request('POST', '/v1/auth/register', { body: { email: `bulk${at}@example.org` } }),
      ),
    );
    const traffic = load(alice);
    const killed = start('keys:reencrypt');
    while (!killed.output().includes('sealing anew')) await new Promise((resolve) => setTimeout(resolve, 2));
    killed.child.kill('SIGKILL');
    await killed.exit;
    expect(await run('keys:verify')).toMatchObject({ code: 0 });
    const stopped = start('keys:reencrypt');
    while (!stopped.output().includes('waiting')) await new Promise((resolve) => setTimeout(resolve, 20));
    stopped.child.kill('SIGTERM');
    expect(await stopped.exit).toBe(3);
    expect(stopped.output()).toMatch(
      /0 new data keys, \d+ cells sealed anew, 0 old data keys destroyed\nstopped before the end: run it again/,
    );
    const { phone } = await traffic.stop();
    expect(traffic.failures).toEqual([]);
    expect(await run('keys:verify')).toMatchObject({ code: 0, output: expect.stringContaining(' 0 faults') });
    const { token } = await signIn(app, alice);
    expect((await app.request('GET', '/v1/users/me', { token })).body).toMatchObject({ phone });
    expect(
      await app.sql(`SELECT count(*)::int AS keys FROM data_keys WHERE subject = $1 GROUP BY subject`, [alice.userId]),
    ).toEqual([{ keys: 2 }]);
  }, 120_000);

  it('finds a swapped index, exit code 1: place and code, no value', async () => {
    const bea = await signUp(app, 'bea');
    const [{ email_index: index } = {}] = await app.sql('SELECT email_index FROM users WHERE id = $1', [bea.userId]);
    await app.sql(`UPDATE users SET email_index = 'blind-index-00000000.x' WHERE id = $1`, [bea.userId]);
    const { code, output } = await run('keys:verify');
    await app.sql('UPDATE users SET email_index = $1 WHERE id = $2', [index, bea.userId]);
    expect([code, output]).toEqual([1, expect.stringContaining(`User.email ${bea.userId} index-mismatch`)]);
    expect(output).not.toContain(bea.email);
  }, 30_000);
});
