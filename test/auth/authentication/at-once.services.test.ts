import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { Acknowledgements } from '../../../src/shared-state/acknowledgements.js';
import { SharedState } from '../../../src/shared-state/index.js';
import { signUp } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';

describe('what is taken away is gone at once, on every instance (ASVS V7.4, V8.3)', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startApp({ env: { RATE_LIMIT_SCALE: '1000' } });
  });
  afterEach(() => vi.restoreAllMocks());
  afterAll(() => app.close());

  const everywhere = (token: string, path = '/v1/users/me') =>
    Promise.all(app.instances.map(async (instance) => (await instance.request('GET', path, { token })).status));
  const all = (status: number) => app.instances.map(() => status);

  /**
   * Redis has taken the message of the first instance and says how many hear it; it is on its way until `arrive()`,
   * however long that is.
   */
  function holdMessages(): { readonly told: Promise<void>; readonly arrive: () => void } {
    const [told, arrival] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const wait = Acknowledgements.prototype.all;
    vi.spyOn(Acknowledgements.prototype, 'all').mockImplementation(function (this: Acknowledgements, id) {
      return wait.call(this, id, 60_000);
    });
    const redis = app.on(0).service.app.get(SharedState, { strict: false }).redis;
    if (redis === undefined) throw new Error('the state is in memory');
    const publish = redis.publish.bind(redis);
    vi.spyOn(redis, 'publish').mockImplementation(async (channel, message) => {
      if (!String(channel).endsWith(':revocation')) return publish(channel, message);
      told.resolve();
      void arrival.promise.then(() => publish(channel, message));
      return app.instances.length;
    });
    return { told: told.promise, arrive: arrival.resolve };
  }

  it('a logout is answered when the other instance has forgotten the session [ASVS 7.4.1]', async () => {
    const [alice, bob] = [await signUp(app, 'alice'), await signUp(app, 'bob')];
    expect(await everywhere(alice.token)).toEqual(all(200));
    const { told, arrive } = holdMessages();
    let isAnswered = false;
    const logout = app
      .on(0)
      .request('POST', '/v1/auth/logout', { token: alice.token })
      .finally(() => (isAnswered = true));
    await told;
    for (let sent = 0; sent < 3; sent++)
      expect((await app.on(0).request('GET', '/v1/users/me', { token: bob.token })).status).toBe(200);
    expect(isAnswered).toBe(false);
    arrive();
    expect((await logout).status).toBe(204);
    expect(await everywhere(alice.token)).toEqual(all(401));
  });
});
