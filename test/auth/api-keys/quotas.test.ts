// With: rate-limiting.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { Limiter } from '../../../src/security/rate-limiting/limiter.js';
import { LimiterStorage } from '../../../src/security/rate-limiting/limiter-storage.js';
import { signUp, signUpAdministrator, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { machineToken } from '../../support/sample/machines.js';
import { SamplesModule } from '../../support/sample/samples.module.js';
import { makeKey, makeServiceKey, succeed } from './keys.js';

const daySeconds = 86_400;

describe('keys have a quota for each day in UTC [practice 4.2] [API4] [ASVS 2.4.1]', () => {
  let app: TestApp;
  let alice: Actor;

  beforeAll(async () => {
    app = await startApp({ modules: [SamplesModule] });
  });
  beforeEach(async () => {
    alice = await signUp(app, 'alice');
  });
  afterEach(() => vi.restoreAllMocks());
  afterAll(() => app.close());

  /** So many requests instead of what is declared. */
  const lower = (bounds: Readonly<Record<string, number>>) =>
    vi.spyOn(Limiter.prototype, 'maxOf').mockImplementation(({ name, requests }) => bounds[name] ?? requests);
  const write = (key: string, index = 0) =>
    app.on(index).request('POST', '/v1/samples', { token: key, body: { title: 'one', body: 'b' } });
  const call = async (key: string) => (await app.request('GET', '/v1/samples', { token: key })).status;

  it('uses up the day on all instances: 429 till midnight, nothing is written, no other key helps', async () => {
    lower({ 'api-key-day-standard': 4 });
    const scopes = ['sample:create', 'sample:read'];
    const [{ id, key }, second] = [await makeKey(app, alice, { scopes }), await makeKey(app, alice, { scopes })];
    const follower = (await succeed(app, alice, id)).body.key as string;
    const statuses: number[] = [];
    for (let index = 0; index < 6; index++) statuses.push((await write(key, index)).status);
    expect(statuses).toEqual([201, 201, 201, 201, 429, 429]);
    expect(await app.sql('SELECT id FROM samples WHERE owner_id = $1', [alice.userId])).toHaveLength(4);

    const refused = await write(second.key);
    const seconds = Number(refused.headers['retry-after']);
    expect(refused).toMatchObject({ status: 429, body: { type: '/problems/too-many-requests' } });
    expect(refused.headers['ratelimit-policy']).toMatch(/"api-key-day-standard";q=4;w=86400$/);
    expect(refused.headers['ratelimit']).toBe(refused.headers['ratelimit']?.replace(/t=\d+$/, `t=${seconds}`));
    const midnight = Math.ceil(app.clock.now().getTime() / (daySeconds * 1000)) * daySeconds * 1000;
    expect(Math.abs(app.clock.now().getTime() + seconds * 1000 - midnight)).toBeLessThan(10_000);
    expect([await call(follower), await call((await makeKey(app, await signUp(app, 'bob'))).key)]).toEqual([429, 200]);
    expect((await app.request('GET', '/v1/samples', { token: alice.token })).status).toBe(200);
    app.clock.advance(seconds);
    expect(await call(second.key)).toBe(200);
    app.clock.advance(-seconds);
  });

  it('what the limit of a minute refuses is not counted by that of the day', async () => {
    lower({ 'api-key-day-standard': 3, 'machine-standard': 2 });
    const { key } = await makeKey(app, alice);
    expect([await call(key), await call(key), await call(key), await call(key)]).toEqual([200, 200, 429, 429]);
    lower({ 'api-key-day-standard': 3 });
    expect([await call(key), await call(key)]).toEqual([200, 429]);
  });

  it('one service uses up its day: another of the same administrator goes on, by its own tier', async () => {
    lower({ 'service-key-day-standard': 1 });
    const boss = await signUpAdministrator(app, 'boss');
    const [one, other] = [await makeServiceKey(app, boss), await makeServiceKey(app, boss)];
    const high = await makeServiceKey(app, boss, { tier: 'high' });
    expect([await call(one.key), await call(one.key), await call(other.key)]).toEqual([200, 429, 200]);
    const { headers } = await app.request('GET', '/v1/samples', { token: high.key });
    expect(headers['ratelimit-policy']).toMatch(/"service-key-day-high";q=100000;w=86400$/);
  });

  it('costs nothing where there is no key, and one count with one', async () => {
    const { key } = await makeKey(app, alice);
    const increment = vi.spyOn(LimiterStorage.prototype, 'increment');
    const countedFor = async (token: string) => {
      increment.mockClear();
      expect(await call(token)).toBe(200);
      return increment.mock.calls.map(([, , , , name]) => name);
    };
    expect(await countedFor(alice.token)).toEqual(['network', 'user']);
    expect(await countedFor(machineToken(alice))).toEqual(['network', 'machine-standard']);
    expect(await countedFor(key)).toEqual(['network', 'machine-standard', 'api-key-day-standard']);
  });
});
