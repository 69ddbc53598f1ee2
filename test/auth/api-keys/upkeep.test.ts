import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ApiKeyUpkeep } from '../../../src/auth/api-keys/api-key-upkeep.js';
import { signUp, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { SamplesModule } from '../../support/sample/samples.module.js';
import { unlimited } from '../../support/unlimited.js';
import { callWith, makeKey, succeed } from './keys.js';

const day = 24 * 3600;

describe('what is done for keys beside the requests [practice 2.2]', () => {
  let app: TestApp;
  let alice: Actor;
  let advanced = 0;

  beforeAll(async () => {
    unlimited();
    app = await startApp({ modules: [SamplesModule] });
  });
  beforeEach(async () => {
    app.clock.advance(-advanced);
    advanced = 0;
    alice = await signUp(app, 'alice');
  });
  afterAll(() => app.close());

  const advance = (seconds: number) => {
    advanced += seconds;
    app.clock.advance(seconds);
  };
  /** As many rounds as it takes until everything was done once, on every instance. */
  const upkeep = async () => {
    for (let round = 0; round < 10; round++)
      for (const { service } of app.instances) await service.app.get(ApiKeyUpkeep, { strict: false }).run();
  };
  const warnings = async () => {
    await app.mailQuiet();
    return app.outbox().filter(({ to, subject }) => to === alice.email && subject.includes('runs out')).length;
  };
  const usedAt = async (id: string) =>
    (await app.sql<{ at: Date | null }>('SELECT last_used_at AS at FROM api_keys WHERE id = $1', [id]))[0]?.at;

  it('writes when a key was used: not before the answer, and never back', async () => {
    const { id, key } = await makeKey(app, alice);
    await upkeep();
    expect(await usedAt(id)).toBeNull();
    expect(await callWith(app, key)).toBe(200);
    await upkeep();
    const first = await usedAt(id);
    expect(Math.abs((first?.getTime() ?? 0) - Date.now())).toBeLessThan(60_000);
    await app.sql(`UPDATE api_keys SET last_used_at = now() + interval '1 hour' WHERE id = $1`, [id]);
    const before = await usedAt(id);
    await callWith(app, key);
    await upkeep();
    expect(await usedAt(id)).toEqual(before);
  });

  it('a key that is refused was not used', async () => {
    const { id, key } = await makeKey(app, alice, { addressRanges: ['203.0.113.0/24'] });
    expect(await callWith(app, key)).toBe(401);
    await upkeep();
    expect(await usedAt(id)).toBeNull();
  });

  // With: notices.
  it('tells the owner a week before a key runs out, once, on however many instances', async () => {
    await makeKey(app, alice, { expiresInDays: 30 });
    advance(22 * day);
    await upkeep();
    expect(await warnings()).toBe(0);
    advance(1.5 * day);
    await upkeep();
    await upkeep();
    expect(await warnings()).toBe(1);
    expect((await app.mailTo(alice.email, 'runs out')).text).toContain('Make its successor in time');
  });

  // With: notices.
  it('of a key that lives for two days it tells in the second one', async () => {
    await makeKey(app, alice, { expiresInDays: 2 });
    await upkeep();
    expect(await warnings()).toBe(0);
    advance(1.1 * day);
    await upkeep();
    expect(await warnings()).toBe(1);
  });

  it('tells nobody of keys that are revoked, have a successor, or have run out already', async () => {
    const { id } = await makeKey(app, alice);
    await app.request('DELETE', `/v1/api-keys/${id}`, { token: alice.token });
    const old = await makeKey(app, alice, { expiresInDays: 5 });
    expect((await succeed(app, alice, old.id, 168)).status).toBe(201);
    advance(4 * day);
    await upkeep();
    expect(await warnings()).toBe(0);
    const late = await makeKey(app, await signUp(app, 'late'), { expiresInDays: 1 });
    advance(2 * day);
    await upkeep();
    expect(await app.sql('SELECT id FROM api_keys WHERE id = $1 AND warned_at IS NULL', [late.id])).toHaveLength(1);
  });

  it('deletes keys that ended 30 days ago, and no others', async () => {
    const { id: revoked } = await makeKey(app, alice, { expiresInDays: 90 });
    const { id: ended } = await makeKey(app, alice, { expiresInDays: 1 });
    const { id: good } = await makeKey(app, alice, { expiresInDays: 90 });
    await app.request('DELETE', `/v1/api-keys/${revoked}`, { token: alice.token });
    const left = async () =>
      (await app.sql<{ id: string }>('SELECT id::text FROM api_keys WHERE user_id = $1', [alice.userId]))
        .map(({ id }) => id)
        .toSorted();
    advance(29 * day);
    await upkeep();
    expect(await left()).toEqual([revoked, ended, good].toSorted());
    advance(3 * day);
    await upkeep();
    expect(await left()).toEqual([good]);
  });
});
