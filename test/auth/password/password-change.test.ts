import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { SessionsService } from '../../../src/auth/sessions/sessions.service.js';
import { mailedToken, signIn, signUp, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { meanwhile } from '../../support/meanwhile.js';

const newPassword = 'violet harbour counts to nine';

describe('change of a password (ASVS V6.2, V7.4)', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startApp();
  });
  afterAll(() => app.close());

  const change = (actor: Pick<Actor, 'token'>, oldPassword: unknown, chosen: unknown = newPassword, instance = 0) =>
    app
      .on(instance)
      .request('POST', '/v1/auth/password/change', { token: actor.token, body: { oldPassword, newPassword: chosen } });
  const login = (email: string, password: string) =>
    app.request('POST', '/v1/auth/login', { body: { email, password } });
  const me = (token: string, instance = 0) => app.on(instance).request('GET', '/v1/users/me', { token });

  it('an honest user changes it: the new one works, a mail tells [ASVS 6.2.2] [ASVS 6.3.7]', async () => {
    const alice = await signUp(app, 'alice');
    expect((await change(alice, alice.password)).status).toBe(204);
    expect((await login(alice.email, alice.password)).status).toBe(401);
    expect((await login(alice.email, newPassword)).status).toBe(200);
    await app.auditEvent(
      'authn_password_change',
      ({ actor_id, outcome }) => actor_id === alice.userId && outcome === 'success',
    );
    // With: notices.
    await app.mailTo(alice.email, 'Your password was changed');
  });

  it('keeps a stolen session while the password is changed: it ends [A2-4] [ASVS 7.4.3]', async () => {
    const alice = await signUp(app, 'alice');
    const thief = await signIn(app, alice);
    expect((await me(thief.token, 1)).status).toBe(200);
    expect((await change(alice, alice.password)).status).toBe(204);
    expect((await me(thief.token, 1)).status).toBe(401);
    expect((await app.request('POST', '/v1/auth/refresh', { body: { refreshToken: thief.refreshToken } })).status).toBe(
      401,
    );
    expect((await me(alice.token)).status).toBe(200);
  });

  it.each([
    ['a wrong one', 'not the present password', 422],
    ['the right one with a space', (actor: Actor) => `${actor.password} `, 422],
    ['none', undefined, 422],
  ] as const)(
    'a thief with a session sends %s as the present password: refused, nothing changes [ASVS 6.2.3]',
    async (_, old, status) => {
      const alice = await signUp(app, 'alice');
      const answer = await change(alice, typeof old === 'function' ? old(alice) : old);
      expect(answer).toMatchObject({ status, body: { errors: [{ pointer: '/oldPassword' }] } });
      expect((await login(alice.email, alice.password)).status).toBe(200);
    },
  );

  it("sends another user's password as the present one: 422, and the audit trail has it [ASVS 6.2.3]", async () => {
    const [alice, mallory] = [await signUp(app, 'alice'), await signUp(app, 'mallory')];
    expect((await change(alice, mallory.password)).status).toBe(422);
    await app.auditEvent(
      'authn_password_change',
      ({ target_id, outcome }) => target_id === alice.userId && outcome === 'denied',
    );
  });

  it('changes it with a session of ten minutes ago: 401 with the challenge [A2-8] [ASVS 7.5.1]', async () => {
    const alice = await signUp(app, 'alice');
    await app.operate(
      `UPDATE sessions SET authenticated_at = authenticated_at - interval '10 minutes' WHERE user_id = $1`,
      [alice.userId],
    );
    app.clock.advance(3);
    const answer = await change(alice, alice.password);
    expect(answer).toMatchObject({ status: 401, body: { type: '/problems/step-up-required' } });
    expect((await change(await signIn(app, alice), alice.password)).status).toBe(204);
  });

  it.each([
    ['fourteen characters', 'fourteen chars', '/newPassword'],
    ['a common one', 'passwordpassword', '/newPassword'],
    ['257 characters', 'violet '.repeat(40).slice(0, 257), '/newPassword'],
  ])('chooses %s: 422, the old one stays [ASVS 6.2.1] [ASVS 6.2.4]', async (_, bad, pointer) => {
    const alice = await signUp(app, 'alice');
    expect(await change(alice, alice.password, bad)).toMatchObject({ status: 422, body: { errors: [{ pointer }] } });
    expect((await login(alice.email, alice.password)).status).toBe(200);
  });

  it.each([
    ['64 characters of any script', 'Ünïcödé 漢字 🦊 пароль ok '.repeat(3).slice(0, 64).padEnd(64, '…')],
    ['128 emoji', '🦊🐻🐼🐨🐯🦁🐮🐷🐸🐵🐔🐧🐦🐤🦆🦉'.repeat(8)],
    ['256 characters', 'lanterns drift over quiet canals while '.repeat(7).slice(0, 255) + 'Z'],
    ['NUL, tab and line feed inside', 'nul \0 and tab \t and\nfeed inside'],
    ['composed and decomposed letters', 'cafe\u0301 at the harbour, café at noon'],
  ])('chooses %s: taken, and each byte counts [ASVS 6.2.8] [ASVS 6.2.9]', async (_, chosen) => {
    const alice = await signUp(app, 'alice');
    expect((await change(alice, alice.password, chosen)).status).toBe(204);
    const last = [...chosen].slice(0, -1).join('');
    for (const wrong of [
      last,
      chosen.slice(0, 40),
      chosen.toUpperCase(),
      chosen.normalize('NFD'),
      chosen.normalize('NFC'),
    ]) {
      if (wrong !== chosen) expect((await login(alice.email, wrong)).status).toBe(401);
    }
    expect((await login(alice.email, chosen)).status).toBe(200);
  });

  it('changes it twice at once on two instances: one password holds [ASVS 15.4.2]', async () => {
    const alice = await signUp(app, 'alice');
    const chosen = ['lanterns drift over canals', 'pebbles hum beneath the quay'];
    const answers = await Promise.all(chosen.map((password, index) => change(alice, alice.password, password, index)));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([204, 422]);
    const winner = answers.findIndex(({ status }) => status === 204);
    expect((await login(alice.email, chosen[winner] ?? '')).status).toBe(200);
    expect((await login(alice.email, chosen[1 - winner] ?? '')).status).toBe(401);
  });

  it('signs in with the old one while it is changed: no session [ASVS 15.4.2] [ASVS 7.4.3]', async () => {
    const alice = await signUp(app, 'alice');
    const attempts = Array.from({ length: 8 }, (_, index) =>
      app.on(index).request('POST', '/v1/auth/login', { body: { email: alice.email, password: alice.password } }),
    );
    const changed = change(alice, alice.password, newPassword, 1);
    const tokens = (await Promise.all(attempts)).flatMap(({ body }) => (body.accessToken as string | undefined) ?? []);
    expect((await changed).status).toBe(204);
    const open = await app.sql<{ id: string }>('SELECT id FROM sessions WHERE user_id = $1 AND ended_at IS NULL', [
      alice.userId,
    ]);
    expect(open).toHaveLength(1);
    await expect
      .poll(async () => Promise.all(tokens.map(async (token) => (await me(token)).status)))
      .toEqual(tokens.map(() => 401));
    expect((await me(alice.token)).status).toBe(200);
  });

  it('it is changed between the proof and the session: 401, no session begins [ASVS 15.4.2]', async () => {
    const alice = await signUp(app, 'alice');
    const sessions = app.on(0).service.app.get(SessionsService, { strict: false });
    const signInNow = sessions.signIn.bind(sessions);
    vi.spyOn(sessions, 'signIn').mockImplementationOnce(async (proved) => {
      expect((await change(alice, alice.password)).status).toBe(204);
      return signInNow(proved);
    });
    expect((await login(alice.email, alice.password)).status).toBe(401);
    expect(
      await app.sql('SELECT id FROM sessions WHERE user_id = $1 AND ended_at IS NULL', [alice.userId]),
    ).toHaveLength(1);
  });

  it('a thief changes it while the owner ends their session: 401 [A2-4] [ASVS 8.3.2]', async () => {
    const alice = await signUp(app, 'alice');
    const thief = await signIn(app, alice);
    meanwhile(app, async () =>
      expect((await app.request('POST', '/v1/auth/logout', { token: thief.token })).status).toBe(204),
    );
    expect((await change(thief, alice.password)).status).toBe(401);
    expect((await login(alice.email, alice.password)).status).toBe(200);
    expect((await me(alice.token)).status).toBe(200);
    vi.restoreAllMocks();
  });

  // With: recovery.
  it('the owner changes it after somebody asked for a reset: the mailed token is worth nothing [A2-5]', async () => {
    const alice = await signUp(app, 'alice');
    await app.request('POST', '/v1/auth/password/forgot', { body: { email: alice.email } });
    await app.mailTo(alice.email, 'Set a new password');
    const token = await mailedToken(app, alice.email);
    expect((await change(alice, alice.password)).status).toBe(204);
    expect(
      (
        await app.request('POST', '/v1/auth/password/reset', {
          body: { token, password: 'pebbles hum beneath the quay' },
        })
      ).status,
    ).toBe(400);
  });

  // The last one moves the clock.
  it('comes back after five years: the password does not expire [ASVS 6.2.10]', async () => {
    const alice = await signUp(app, 'alice');
    app.clock.advance(5 * 365 * 24 * 60 * 60);
    expect((await login(alice.email, alice.password)).status).toBe(200);
  });
});
