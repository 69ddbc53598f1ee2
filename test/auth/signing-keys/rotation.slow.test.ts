import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { toSigningKey } from '../../../src/auth/signing-keys/signing-key.js';
import { SigningKeyRepository } from '../../../src/auth/signing-keys/signing-key.repository.js';
import { SigningKeyRotation } from '../../../src/auth/signing-keys/signing-key-rotation.js';
import { knownEverywhereMs, lookEveryMs, retiredKeptMs } from '../../../src/auth/signing-keys/lifetimes.js';
import { Operator } from '../../cli/operator.js';
import { signUp, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { attackersKey, decode, es256, genuineKey } from '../forge.js';
import { timing } from '../../support/timing.js';

// The command as operators run it, a process of its own beside the running service, with the waits that it really has.

let app: TestApp;
let operator: Operator;

beforeAll(async () => {
  app = await startApp({ env: { RATE_LIMIT_SCALE: '1000' } });
  operator = new Operator(app);
});
afterAll(async () => {
  operator.close();
  await app.close();
});

interface Row extends Record<string, unknown> {
  readonly id: string;
  readonly state: string;
}

const rows = () => app.sql<Row>('SELECT id, state FROM signing_keys ORDER BY id');
const idOf = async (state: string) => (await rows()).find((row) => row.state === state)?.id;
const kidOf = (token: string) => decode(token).header['kid'];
const me = async (token: string) =>
  Promise.all(app.instances.map(async (instance) => (await instance.request('GET', '/v1/users/me', { token })).status));
const all = (status: number) => app.instances.map(() => status);
const published = async (index = 0) =>
  ((await app.on(index).request('GET', '/.well-known/jwks.json')).body.keys as { kid: string }[])
    .map(({ kid }) => kid)
    .toSorted();
const rotation = () => app.on(0).service.app.get(SigningKeyRotation, { strict: false });
const looked = (ms = lookEveryMs) => new Promise((resolve) => setTimeout(resolve, ms + 500));

/** Several people who read and refresh without a pause on every instance, each with the newest token that they have. */
function load(actors: readonly Actor[]) {
  const refused: string[] = [];
  const kids = new Set<unknown>();
  const state = { running: true, count: 0 };
  const work = async (actor: Actor, at: number) => {
    let { token, refreshToken } = actor;
    for (let turn = at; state.running; turn++) {
      const read = await app.on(turn).request('GET', '/v1/users/me', { token });
      const refreshed = await app.on(turn + 1).request('POST', '/v1/auth/refresh', { body: { refreshToken } });
      state.count += 2;
      for (const { status } of [read, refreshed])
        if (status !== 200) refused.push(`${status} at request ${state.count}`);
      ({ accessToken: token, refreshToken } = refreshed.body);
      kids.add(kidOf(token));
    }
  };
  const done = Promise.all(actors.map(work));
  const stop = async () => {
    state.running = false;
    await done;
    return { refused, count: state.count, kids };
  };
  return stop;
}

describe('keys:rotate jwt under continuous load [practice 2.5] [ASVS 11.2.2] [ASVS 13.3.4]', () => {
  it('changes the signing key: not one 401, and tokens of both keys count on every instance', async () => {
    const actors = await Promise.all(['ann', 'bob', 'cleo', 'dora'].map((name) => signUp(app, name)));
    const bystander = await signUp(app, 'bystander');
    const before = await idOf('active');
    const stop = load(actors);
    const { code, output } = await operator.run('keys:rotate', 'jwt');
    await looked(knownEverywhereMs);
    const { refused, count, kids } = await stop();
    expect([code, refused, count > 100], output).toEqual([0, [], true]);
    const after = await idOf('active');
    expect(after).not.toBe(before);
    expect([kids.has(before), kids.has(after)]).toEqual([true, true]);
    // Signed by the old key, which verifies until its last token has expired.
    expect([kidOf(bystander.token), await me(bystander.token)]).toEqual([before, all(200)]);
    expect(await rows()).toEqual([
      { id: before, state: 'retired' },
      { id: after, state: 'active' },
    ]);
    for (const [index] of app.instances.entries()) expect(await published(index)).toEqual([before, after].toSorted());
    expect((await operator.run('keys:status')).output).toMatch(
      new RegExp(`signing keys\\n +${before} +retired .*\\n +${after} +active `),
    );
    await app.auditEvent('crypt_key_rotated', ({ details }) => (details as { activeKey?: string }).activeKey === after);
  }, 120_000);

  it('waits until the last token of the old key has expired: then it is gone from the JWKS too', async () => {
    const [before, after] = [await idOf('retired'), await idOf('active')];
    app.clock.advance(retiredKeptMs / 1000 - 60);
    await looked();
    expect(await published()).toContain(before);
    app.clock.advance(60);
    await looked();
    for (const [index] of app.instances.entries()) expect(await published(index)).toEqual([after]);
    expect(await rows()).toEqual([{ id: after, state: 'active' }]);
  });

  it('publishes the next key before it signs: whoever caches the JWKS knows it in time', async () => {
    const { id } = await rotation().prepare();
    await looked();
    for (const [index] of app.instances.entries()) expect(await published(index)).toContain(id);
    const alice = await signUp(app, 'alice');
    expect(kidOf(alice.token)).toBe(await idOf('active'));
    expect((await rotation().prepare()).id).toBe(id);
  });

  it('is killed, terminated, and run twice at once: each run goes on, and one key is active', async () => {
    const { id: next } = await rotation().prepare();
    const killed = operator.start('keys:rotate', 'jwt');
    await expect.poll(() => killed.output(), { timeout: 30_000 }).toContain(`${next} is published`);
    killed.child.kill('SIGKILL');
    await killed.exit;
    const stopped = operator.start('keys:rotate', 'jwt');
    await expect.poll(() => stopped.output(), { timeout: 30_000 }).toContain('is published');
    stopped.child.kill('SIGTERM');
    expect(await stopped.exit).toBe(3);
    expect(await idOf('next')).toBe(next);
    expect((await operator.run('keys:rotate', 'jwt', '--dry-run')).output).toContain(
      `would make ${next} the active signing key`,
    );
    const two = await Promise.all([rotation().promote(next), rotation().promote(next)]);
    expect(two.toSorted()).toEqual([false, true]);
    expect(await idOf('active')).toBe(next);
    expect((await rows()).filter(({ state }) => state === 'active')).toHaveLength(1);
  }, 60_000);

  it('two make the next key at the same time: there is one [ASVS 15.4.2]', async () => {
    const made = await Promise.all(
      Array.from({ length: 5 }, (_, index) =>
        app.on(index).service.app.get(SigningKeyRotation, { strict: false }).prepare(),
      ),
    );
    expect(new Set(made.map(({ id }) => id)).size).toBe(1);
    expect((await rows()).filter(({ state }) => state === 'next')).toHaveLength(1);
  });
});

describe('a signing key leaked: keys:rotate jwt --now [practice 2.5] [ASVS 13.3.4]', () => {
  it('forges with the stolen key, and uses tokens that it signed: 401; refresh tokens count', async () => {
    const victim = await signUp(app, 'victim');
    const stolen = genuineKey(app);
    const { header, payload } = decode(victim.token);
    const forged = es256(stolen, header, { ...payload, jti: 'made by the thief' });
    expect(await me(forged)).toEqual(all(200));
    expect(await operator.run('keys:rotate', 'jwt', '--now')).toMatchObject({
      code: 0,
      output: expect.stringContaining('are deleted'),
    });
    expect([await me(forged), await me(victim.token)]).toEqual([all(401), all(401)]);
    expect(await rows()).toEqual([{ id: expect.any(String), state: 'active' }]);
    const renewed = await app.request('POST', '/v1/auth/refresh', { body: { refreshToken: victim.refreshToken } });
    expect(await me(renewed.body.accessToken)).toEqual(all(200));
  }, 60_000);

  it('is said for another key, or with --ring-only: exit code 2, and nothing happens', async () => {
    const before = await rows();
    expect(await operator.run('keys:rotate', 'pii', '--now')).toMatchObject({ code: 2 });
    expect(await operator.run('keys:rotate', 'jwt', '--now', '--ring-only')).toMatchObject({ code: 2 });
    expect(await rows()).toEqual(before);
  });
});

describe('a key that an instance does not know', () => {
  it('meets a token of a key that another instance uses, without a message: asks the table', async () => {
    const alice = await signUp(app, 'alice');
    const repository = app.on(0).service.app.get(SigningKeyRepository, { strict: false });
    const { id } = await repository.create('next', app.clock.now());
    const [row] = await repository.privateKeysOf([id]);
    const { header, payload } = decode(alice.token);
    const token = es256(toSigningKey(row!).privateKey, { ...header, kid: id }, payload);
    expect((await app.on(1).request('GET', '/v1/users/me', { token })).status).toBe(200);
  });

  it('meets one while the database is away: 5xx [practice 6.4] [ASVS 16.5.3]', async () => {
    const alice = await signUp(app, 'alice');
    const { header, payload } = decode(alice.token);
    const token = es256(genuineKey(app), { ...header, kid: '0190a1b2-c3d4-7e5f-8a6b-000000000000' }, payload);
    await looked(1_000);
    await app.sql('ALTER TABLE signing_keys RENAME TO elsewhere');
    const { status } = await app.request('GET', '/v1/users/me', { token });
    const known = await app.request('GET', '/v1/users/me', { token: alice.token });
    await app.sql('ALTER TABLE elsewhere RENAME TO signing_keys');
    expect([status >= 500, known.status]).toEqual([true, 200]);
  });

  it(
    'is sent a hundred tokens with keys of the attacker: 401 each, and the table is asked once a second',
    timing,
    async () => {
      const alice = await signUp(app, 'alice');
      const { header, payload } = decode(alice.token);
      const { privateKey } = attackersKey();
      await looked(1_000);
      const asked = vi.spyOn(app.on(0).service.app.get(SigningKeyRepository, { strict: false }), 'list');
      const startedAt = performance.now();
      const forged = Array.from({ length: 100 }, (_, at) =>
        es256(privateKey, { ...header, kid: `0190a1b2-c3d4-7e5f-8a6b-${String(at).padStart(12, '0')}` }, payload),
      );
      const statuses = await Promise.all(
        forged.map(async (token) => (await app.request('GET', '/v1/users/me', { token })).status),
      );
      expect(new Set(statuses)).toEqual(new Set([401]));
      // Once a second for the tokens, and every two seconds anyway.
      expect(asked.mock.calls.length).toBeLessThanOrEqual(
        2 + Math.ceil(((performance.now() - startedAt) / 1000) * 1.5),
      );
      asked.mockRestore();
    },
  );
});
