import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { SessionsService } from '../../../src/auth/sessions/sessions.service.js';
import { signIn, signUp } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { decode } from '../forge.js';
import { passkeys, register, signInOptions, trySignIn } from '../factors/passkeys/ceremonies.js';

describe('whoever signs in again, to answer @StepUp(), replaces the session that they have [ASVS 7.2.4]', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startApp();
  });
  afterAll(() => app.close());

  const me = async (token: string) => (await app.request('GET', '/v1/users/me', { token })).status;
  const reasonOf = async (token: string) =>
    (await app.sql('SELECT end_reason FROM sessions WHERE id = $1', [decode(token).payload['sid']]))[0]?.['end_reason'];
  const login = ({ token, ...body }: { token: string; email: string; password: string }) =>
    app.request('POST', '/v1/auth/login', { token, body });

  it('an honest person: the new session opens everything, and the one before has ended everywhere', async () => {
    const { email, password, token } = await signUp(app, 'alice');
    const { status, body } = await login({ email, password, token });
    expect([status, await me(body.accessToken), await reasonOf(token)]).toEqual([200, 200, 'new-login']);
    for (const { request } of app.instances)
      await expect
        .poll(async () => (await request('GET', '/v1/users/me', { token })).status, { timeout: 500 })
        .toBe(401);
  });

  // With: passkeys.
  it('is refused in the transaction, with a passkey whose count is old: the session goes on', async () => {
    const bob = await signUp(app, 'bob');
    const { authenticator } = await register(app, bob);
    expect((await trySignIn(app, authenticator, { counter: 100 })).status).toBe(200);
    const credential = authenticator.get(await signInOptions(app), { counter: 100 });
    expect((await app.request('POST', `${passkeys}/sign-in`, { token: bob.token, body: { credential } })).status).toBe(
      401,
    );
    app.clock.advance(3);
    expect([await me(bob.token), await reasonOf(bob.token)]).toEqual([200, null]);
  });

  it('the new session cannot be written: 500, and the present one goes on, with its refresh token', async () => {
    const { email, password, token, refreshToken } = await signUp(app, 'carol');
    vi.spyOn(app.on(0).service.app.get(SessionsService, { strict: false }), 'create').mockRejectedValueOnce(
      new Error('the disk is full'),
    );
    expect((await login({ email, password, token })).status).toBe(500);
    expect([await me(token), await reasonOf(token)]).toEqual([200, null]);
    expect((await app.request('POST', '/v1/auth/refresh', { body: { refreshToken } })).status).toBe(200);
    expect((await signIn(app, { email, password })).token).toBeTruthy();
  });
});
