import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { SessionRepository } from '../../../src/auth/sessions/session.repository.js';
import { signIn, signUp, signUpAdministrator } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';

// Every check below is made on every instance, after the token was used there and the micro-cache is warm.
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

  /** The answer to the revocation comes when every instance has heard of it: nothing is waited for here. */
  const expectNow = async (read: () => Promise<number[]>, status: number) => expect(await read()).toEqual(all(status));

  it('logs out: the token is refused, the browser is told to forget [ASVS 7.4.1] [ASVS 14.3.1]', async () => {
    const alice = await signUp(app, 'alice');
    expect(await everywhere(alice.token)).toEqual(all(200));
    const answer = await app.request('POST', '/v1/auth/logout', { token: alice.token });
    expect(answer.status).toBe(204);
    expect(answer.headers['clear-site-data']).toBe('"cache", "cookies", "storage"');
    expect((await app.request('GET', '/v1/users/me', { token: alice.token })).status).toBe(401);
    await expectNow(() => everywhere(alice.token), 401);
    await app.auditEvent('session_expired', ({ actor_id }) => actor_id === alice.userId);
  });

  it('logs out on one device: the other stays, a new login is a new session [ASVS 7.2.4]', async () => {
    const alice = await signUp(app, 'alice');
    const other = await signIn(app, alice);
    await app.request('POST', '/v1/auth/logout', { token: alice.token });
    expect(await everywhere(other.token)).toEqual(all(200));
    const sessions = await app.sql('SELECT id FROM sessions WHERE user_id = $1', [alice.userId]);
    expect(new Set(sessions.map(({ id }) => id)).size).toBe(2);
  });

  it('signs in again with the old token at hand: the old session ends [ASVS 7.2.4]', async () => {
    const alice = await signUp(app, 'alice');
    const answer = await app.request('POST', '/v1/auth/login', {
      token: alice.token,
      body: { email: alice.email, password: alice.password },
    });
    expect(answer.status).toBe(200);
    await expectNow(() => everywhere(alice.token), 401);
    expect(await everywhere(answer.body.accessToken)).toEqual(all(200));
  });

  it('logs out five times: not one request after the answer is let in, on any instance [ASVS 7.4.1]', async () => {
    const alice = await signUp(app, 'alice');
    for (let round = 0; round < 5; round++) {
      const { token } = await signIn(app, alice);
      expect(await everywhere(token)).toEqual(all(200));
      expect((await app.on(round).request('POST', '/v1/auth/logout', { token })).status).toBe(204);
      expect(await everywhere(token)).toEqual(all(401));
    }
  });

  it('a revocation arrives while the session is read: what was read before it is not remembered', async () => {
    const alice = await signUp(app, 'alice');
    app.clock.advance(3);
    const repository = app.on(0).service.app.get(SessionRepository, { strict: false });
    const [reading, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const spy = vi.spyOn(repository, 'findState');
    const find = (spy.getMockImplementation() ?? SessionRepository.prototype.findState).bind(repository);
    spy.mockImplementationOnce(async (id) => {
      const state = await find(id);
      reading.resolve();
      await go.promise;
      return state;
    });
    const before = app.on(0).request('GET', '/v1/users/me', { token: alice.token });
    await reading.promise;
    expect((await app.on(1).request('POST', '/v1/auth/logout', { token: alice.token })).status).toBe(204);
    go.resolve();
    // It came before the revocation was answered.
    expect((await before).status).toBe(200);
    expect(await everywhere(alice.token)).toEqual(all(401));
  });

  it('loses the administrator role: the same token is refused there, good elsewhere [ASVS 8.3.2]', async () => {
    const [admin, other] = [await signUpAdministrator(app), await signUpAdministrator(app, 'other')];
    expect(await everywhere(admin.token, '/v1/users')).toEqual(all(200));
    const changed = await app.request('PATCH', `/v1/users/${admin.userId}/roles`, {
      token: other.token,
      body: { roles: ['user'] },
    });
    expect(changed.status).toBe(200);
    await expectNow(() => everywhere(admin.token, '/v1/users'), 403);
    expect(await everywhere(admin.token)).toEqual(all(200));
  });

  it('deletes the account: its tokens are refused [ASVS 7.4.2]', async () => {
    const alice = await signUp(app, 'alice');
    expect(await everywhere(alice.token)).toEqual(all(200));
    expect((await app.request('DELETE', '/v1/users/me', { token: alice.token })).status).toBe(204);
    await expectNow(() => everywhere(alice.token), 401);
    expect((await app.request('POST', '/v1/auth/refresh', { body: { refreshToken: alice.refreshToken } })).status).toBe(
      401,
    );
  });

  it('is disabled by SQL: refused within two seconds, no refresh, no sign-in [ASVS 7.4.2]', async () => {
    const alice = await signUp(app, 'alice');
    expect(await everywhere(alice.token)).toEqual(all(200));
    await app.operate(`UPDATE users SET status = 'disabled' WHERE id = $1`, [alice.userId]);
    app.clock.advance(2);
    expect(await everywhere(alice.token)).toEqual(all(401));
    expect((await app.request('POST', '/v1/auth/refresh', { body: { refreshToken: alice.refreshToken } })).status).toBe(
      401,
    );
    const login = (password: string) =>
      app.request('POST', '/v1/auth/login', { body: { email: alice.email, password } });
    const [right, wrong] = [await login(alice.password), await login('not the right password')];
    expect({ ...right.body, requestId: '' }).toEqual({ ...wrong.body, requestId: '' });
    expect(right.status).toBe(401);
  });

  it('cannot ask the database: 5xx, neither in nor a stranger [practice 6.4] [ASVS 16.5.3]', async () => {
    const alice = await signUp(app, 'alice');
    expect(await everywhere(alice.token)).toEqual(all(200));
    app.clock.advance(2);
    await app.sql('ALTER TABLE sessions RENAME TO elsewhere');
    const statuses = await everywhere(alice.token);
    await app.sql('ALTER TABLE elsewhere RENAME TO sessions');
    for (const status of statuses) expect(status).toBeGreaterThanOrEqual(500);
    expect(await everywhere(alice.token)).toEqual(all(200));
  });
});
