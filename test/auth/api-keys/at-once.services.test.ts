import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { ApiKeyRepository } from '../../../src/auth/api-keys/api-key.repository.js';
import { signUp, signUpAdministrator } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { HeldRows } from '../../support/held-rows.js';
import { SamplesModule } from '../../support/sample/samples.module.js';
import { unlimited } from '../../support/unlimited.js';
import { makeKey, succeed } from './keys.js';

// Two instances on one PostgreSQL and Redis; the embedded database has one.
describe('a key that is taken away is gone at once, on every instance [practice 2.2] [ASVS 7.4.1]', () => {
  let app: TestApp;

  beforeAll(async () => {
    unlimited();
    app = await startApp({ modules: [SamplesModule], env: { RATE_LIMIT_SCALE: '1000' } });
    expect(app.instances.length).toBeGreaterThan(1);
  });
  afterEach(() => vi.restoreAllMocks());
  afterAll(() => app.close());

  const use = async (index: number, token: string) =>
    (await app.on(index).request('GET', '/v1/samples', { token })).status;
  const everywhere = (token: string) => Promise.all(app.instances.map((_, index) => use(index, token)));
  const all = (status: number) => app.instances.map(() => status);

  it('revoked on one: refused on the other with the next request', async () => {
    const alice = await signUp(app, 'alice');
    const { id, key } = await makeKey(app, alice);
    expect(await everywhere(key)).toEqual(all(200));
    expect((await app.on(0).request('DELETE', `/v1/api-keys/${id}`, { token: alice.token })).status).toBe(204);
    expect(await everywhere(key)).toEqual(all(401));
  });

  it('revoked between the look at its row and the answer: what was read is not remembered', async () => {
    const alice = await signUp(app, 'alice');
    const { id, key } = await makeKey(app, alice);
    const repository = app.on(1).service.app.get(ApiKeyRepository, { strict: false });
    const read = repository.findState.bind(repository);
    const [isRead, mayGoOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    vi.spyOn(repository, 'findState').mockImplementationOnce(async (...found) => {
      const state = await read(...found);
      isRead.resolve();
      await mayGoOn.promise;
      return state;
    });
    const early = use(1, key);
    await isRead.promise;
    expect((await app.on(0).request('DELETE', `/v1/api-keys/${id}`, { token: alice.token })).status).toBe(204);
    mayGoOn.resolve();
    await early;
    expect(await everywhere(key)).toEqual(all(401));
  });

  // With: administration.
  it('the owner is disabled on one: refused on the other with the next request [ASVS 7.4.2]', async () => {
    const [alice, boss] = [await signUp(app, 'alice'), await signUpAdministrator(app)];
    const { key } = await makeKey(app, alice);
    expect(await everywhere(key)).toEqual(all(200));
    const path = `/v1/users/${alice.userId}`;
    const body = { status: 'disabled' };
    expect((await app.on(0).request('PATCH', `${path}/status`, { token: boss.token, body })).status).toBe(200);
    expect(await everywhere(key)).toEqual(all(401));
  });

  it('two successors at once, on two instances: one is made', async () => {
    const alice = await signUp(app, 'alice');
    const { id } = await makeKey(app, alice);
    const held = await HeldRows.of(app, 'SELECT id FROM users WHERE id = $1', [alice.userId]);
    const body = { expiresInDays: 30, overlapHours: 1 };
    const ask = (index: number) =>
      app.on(index).request('POST', `/v1/api-keys/${id}/successor`, { token: alice.token, body });
    const answers = [ask(0), ask(1)];
    await held.untilWaiting(2);
    await held.release();
    expect((await Promise.all(answers)).map(({ status }) => status).toSorted()).toEqual([201, 409]);
  });

  it('two administrators take one key over at once: one does', async () => {
    const [one, other] = [await signUpAdministrator(app, 'one'), await signUpAdministrator(app, 'other')];
    const wishes = { name: 'x', scopes: ['sample:read'], expiresInDays: 30, service: 'Analyser' };
    const { body: made } = await app.request('POST', '/v1/service-keys', { token: one.token, body: wishes });
    const held = await HeldRows.of(app, 'SELECT id FROM api_keys WHERE id = $1', [made.id]);
    const answers = [
      succeed(app, one, made.id as string, 1, '/v1/service-keys'),
      app.on(1).request('POST', `/v1/service-keys/${made.id}/successor`, {
        token: other.token,
        body: { expiresInDays: 30, overlapHours: 1 },
      }),
    ];
    await held.untilWaiting(2);
    await held.release();
    expect((await Promise.all(answers)).map(({ status }) => status).toSorted()).toEqual([201, 409]);
    expect(await app.sql('SELECT id FROM api_keys WHERE service IS NOT NULL AND successor_id IS NULL')).toHaveLength(1);
  });
});
