import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signIn, signUp, signUpAdministrator, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';

let app: TestApp;
let alice: Actor;
let admin: Actor;

beforeAll(async () => {
  app = await startApp();
  [alice, admin] = await Promise.all([signUp(app, 'alice'), signUpAdministrator(app)]);
});
afterAll(() => app.close());

/** Moves the sign-in of the person's sessions into the past, as the clock would, and lets the micro-cache end. */
async function signedIn(actor: Actor, secondsAgo: number): Promise<void> {
  await app.operate(`UPDATE sessions SET authenticated_at = now() - make_interval(secs => $2) WHERE user_id = $1`, [
    actor.userId,
    secondsAgo,
  ]);
  app.clock.advance(3);
}

describe('step-up: what a stolen session must not do (RFC 9470) [practice 2.5] [ASVS 7.5.1] [ASVS 7.5.3]', () => {
  it('erases the account with a session of yesterday: 401 with the challenge, and the account stays', async () => {
    await signedIn(alice, 6 * 60);
    const { status, headers, body } = await app.request('DELETE', '/v1/users/me', { token: alice.token });
    expect([status, body.type]).toEqual([401, expect.stringContaining('step-up-required')]);
    expect(headers['www-authenticate']).toBe('Bearer error="insufficient_user_authentication", max_age="300"');
    expect(await app.sql('SELECT id FROM users WHERE id = $1', [alice.userId])).toHaveLength(1);
    await app.auditEvent('authn_step_up_required', ({ actor_id }) => actor_id === alice.userId);
  });

  it('signs in again, with the old access token: the fresh session passes, and the old one has ended', async () => {
    await signedIn(alice, 6 * 60);
    const { body } = await app.request('POST', '/v1/auth/login', {
      token: alice.token,
      body: { email: alice.email, password: alice.password },
    });
    expect((await app.request('GET', '/v1/users/me/export', { token: body.accessToken })).status).toBe(200);
    expect((await app.request('GET', '/v1/users/me', { token: alice.token })).status).toBe(401);
  });

  it('an administrator gives roles with a session of yesterday: 401, and the roles stay [A5-5]', async () => {
    await signedIn(admin, 6 * 60);
    const { status } = await app.request('PATCH', `/v1/users/${alice.userId}/roles`, {
      token: admin.token,
      body: { roles: ['user', 'admin'] },
    });
    expect(status).toBe(401);
    expect(await app.sql('SELECT roles FROM users WHERE id = $1', [alice.userId])).toEqual([{ roles: ['user'] }]);
  });

  it('an honest session of four minutes, or any session on an ordinary route: nobody is asked again', async () => {
    const fresh = { ...alice, ...(await signIn(app, alice)) };
    await signedIn(fresh, 4 * 60);
    expect((await app.request('GET', '/v1/users/me/export', { token: fresh.token })).status).toBe(200);
    await signedIn(fresh, 24 * 60 * 60);
    expect((await app.request('GET', '/v1/users/me', { token: fresh.token })).status).toBe(200);
  });
});
