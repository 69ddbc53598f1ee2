import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AdministrationRepository } from '../../../src/auth/administration/administration.repository.js';
import { AdministrationService } from '../../../src/auth/administration/administration.service.js';
import { UsersService } from '../../../src/users/index.js';
import { signIn, signUp, signUpAdministrator, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { neverIssued } from '../../support/http.js';
import { nextCode } from '../factors/totp/app.js';
import { visible } from '../visible.js';

let app: TestApp;
let admin: Actor;

beforeAll(async () => {
  app = await startApp({ env: { RATE_LIMIT_SCALE: '1000' } });
  admin = await signUpAdministrator(app);
});
afterAll(() => app.close());

const everywhere = (token: string) =>
  Promise.all(app.instances.map(async (instance) => (await instance.request('GET', '/v1/users/me', { token })).status));
const all = (status: number) => app.instances.map(() => status);
const expectNow = async (token: string, status: number) => expect(await everywhere(token)).toEqual(all(status));
const login = ({ email, password }: { email: string; password: string }) =>
  app.request('POST', '/v1/auth/login', { body: { email, password } });
const refresh = ({ refreshToken }: Actor, index = 0) =>
  app.on(index).request('POST', '/v1/auth/refresh', { body: { refreshToken } });
const setStatus = (by: Actor, id: string, status: string, index = 0) =>
  app.on(index).request('PATCH', `/v1/users/${id}/status`, { token: by.token, body: { status } });
const forceReset = (id: string, body?: unknown) =>
  app.request('POST', `/v1/users/${id}/password-reset`, { token: admin.token, body });
const resetTokenOf = async ({ email }: Actor) =>
  /\b[A-Za-z0-9_-]{40,}\b/.exec((await app.mailTo(email, 'Set a new password')).text)?.[0] ?? '';
const get = <T>(type: new (...parameters: never[]) => T): T => app.on(0).service.app.get<T>(type, { strict: false });
const isOpen = async (token: string) => expect(await everywhere(token)).toEqual(all(200));

describe('an account is disabled (ASVS V7.4, V8.3)', () => {
  it('acts on the next request of every device, on every instance [ASVS 7.4.2] [A5-3]', async () => {
    const vic = await signUp(app, 'vic');
    const phone = await signIn(app, vic);
    await Promise.all([isOpen(vic.token), isOpen(phone.token)]);
    expect(await setStatus(admin, vic.userId, 'disabled')).toMatchObject({
      status: 200,
      body: { id: vic.userId, status: 'disabled' },
    });
    expect((await app.request('GET', '/v1/users/me', { token: vic.token })).status).toBe(401);
    await Promise.all([expectNow(vic.token, 401), expectNow(phone.token, 401)]);
    for (const index of [0, 1]) expect((await refresh(vic, index)).status).toBe(401);
    const answers = [await login(vic), await login({ ...vic, password: 'not the right password' })];
    expect(visible(answers[0]!)).toEqual(visible(answers[1]!));
    expect(answers[0]!.status).toBe(401);
    const event = await app.auditEvent('user_disabled', ({ target_id }) => target_id === vic.userId);
    expect(event).toMatchObject({
      actor_id: admin.userId,
      outcome: 'success',
      details: { sessions: 2, by: 'administrator' },
    });
  });

  it('is enabled again: the owner signs in, and no session of before comes back to life', async () => {
    const vic = await signUp(app, 'vic');
    await setStatus(admin, vic.userId, 'disabled');
    expect((await setStatus(admin, vic.userId, 'active')).status).toBe(200);
    expect(await everywhere(vic.token)).toEqual(all(401));
    expect((await refresh(vic)).status).toBe(401);
    await isOpen((await signIn(app, vic)).token);
    await app.auditEvent('user_enabled', ({ target_id }) => target_id === vic.userId);
  });

  it('is set to what it is: 200, no session ends, and nothing is written into the trail', async () => {
    const vic = await signUp(app, 'vic');
    expect((await setStatus(admin, vic.userId, 'active')).status).toBe(200);
    await isOpen(vic.token);
    expect(
      await app.sql(`SELECT id FROM audit_events WHERE action = 'user_enabled' AND target_id = $1`, [vic.userId]),
    ).toEqual([]);
  });

  it.each(['deleted', 'admin', '', null, ['disabled'], { not: 'active' }])(
    'is set to %o: 422, and nothing changes',
    async (status) => {
      const vic = await signUp(app, 'vic');
      expect((await setStatus(admin, vic.userId, status as string)).status).toBe(422);
      await isOpen(vic.token);
    },
  );

  it('nobody has the id: 404, as for one that was never issued', async () => {
    expect((await setStatus(admin, neverIssued, 'disabled')).status).toBe(404);
    expect((await forceReset(neverIssued)).status).toBe(404);
    expect((await app.request('DELETE', `/v1/users/${neverIssued}/sessions`, { token: admin.token })).status).toBe(404);
  });
});

describe('a reset is forced [ASVS 6.4.6]', () => {
  it('ends every session, and the owner chooses a new password with the mailed token', async () => {
    const vic = await signUp(app, 'vic');
    await isOpen(vic.token);
    expect((await forceReset(vic.userId)).status).toBe(204);
    await expectNow(vic.token, 401);
    expect((await refresh(vic, 1)).status).toBe(401);
    const [right, wrong] = [await login(vic), await login({ ...vic, password: 'not the right password' })];
    expect([right.status, visible(right)]).toEqual([401, visible(wrong)]);
    const event = await app.auditEvent('authn_reset_forced', ({ target_id }) => target_id === vic.userId);
    expect(event).toMatchObject({ actor_id: admin.userId, outcome: 'success' });
    const password = 'eleven grey herons by the weir';
    const token = await resetTokenOf(vic);
    expect((await app.request('POST', '/v1/auth/password/reset', { body: { token, password } })).status).toBe(204);
    await isOpen((await signIn(app, { email: vic.email, password })).token);
  });

  it.each(['password', 'newPassword', 'token', 'email', 'hash'])(
    'the administrator sends a %s along: 400, the old password stays [A5-5]',
    async (field) => {
      const vic = await signUp(app, 'vic');
      const answers = [
        await forceReset(vic.userId, { [field]: 'chosen by the administrator' }),
        await app.request('PATCH', `/v1/users/${vic.userId}/status`, {
          token: admin.token,
          body: { status: 'disabled', [field]: 'chosen by the administrator' },
        }),
      ];
      expect(answers.map(({ status }) => status)).toEqual([400, 400]);
      await isOpen((await signIn(app, vic)).token);
    },
  );

  it('no answer has a password, a hash or a token; the mail goes to the owner alone [A5-5]', async () => {
    const vic = await signUp(app, 'vic');
    await app.mailQuiet();
    const before = app.outbox().length;
    const reset = await forceReset(vic.userId);
    const token = await resetTokenOf(vic);
    const seen = [reset, await app.request('GET', `/v1/users/${vic.userId}`, { token: admin.token })]
      .map(({ text }) => text)
      .join('');
    for (const secret of [token, vic.password, 'argon2', 'enc:v1:', vic.email]) expect(seen).not.toContain(secret);
    await app.mailQuiet();
    const receivers = app
      .outbox()
      .slice(before)
      .map(({ to }) => to);
    expect(new Set(receivers)).toEqual(new Set([vic.email]));
  });

  it('of a disabled account: no token leaves, and the account stays closed', async () => {
    const vic = await signUp(app, 'vic');
    await setStatus(admin, vic.userId, 'disabled');
    expect((await forceReset(vic.userId)).status).toBe(204);
    await app.mailQuiet();
    expect(
      app.outbox().filter(({ to, subject }) => to.includes(vic.email) && subject === 'Set a new password'),
    ).toEqual([]);
    expect((await login(vic)).status).toBe(401);
  });
});

describe('a reset is forced while its owner does something else: no deadlock [ASVS 15.4.2]', () => {
  /** Runs the work on another instance while the forced reset is in the middle, after that step of it. */
  async function amid(step: 'endAllOf' | 'demandReset', userId: string, work: () => Promise<{ status: number }>) {
    const part = step === 'endAllOf' ? get(AdministrationService) : get(AdministrationRepository);
    const steps = part as unknown as Record<string, (...parameters: unknown[]) => Promise<unknown>>;
    const original = steps[step]?.bind(part);
    const reached = Promise.withResolvers<void>();
    steps[step] = async (...parameters) => {
      const result = await original?.(...parameters);
      reached.resolve();
      await new Promise((resolve) => setTimeout(resolve, 400));
      return result;
    };
    const forced = forceReset(userId);
    await reached.promise;
    const other = await work();
    delete steps[step];
    return [(await forced).status, other.status];
  }

  // With: totp.
  it('confirms an authenticator app: the session is over by then', async () => {
    const vic = await signUp(app, 'vic');
    const { secret } = (await app.request('POST', '/v1/auth/totp', { token: vic.token })).body;
    const body = { code: nextCode(app, secret) };
    const confirm = () => app.on(1).request('POST', '/v1/auth/totp/confirm', { token: vic.token, body });
    expect(await amid('endAllOf', vic.userId, confirm)).toEqual([204, 401]);
  });

  it('uses a token of before: it is worth nothing', async () => {
    const vic = await signUp(app, 'vic');
    await app.request('POST', '/v1/auth/password/forgot', { body: { email: vic.email } });
    const body = { token: await resetTokenOf(vic), password: 'eleven grey herons by the weir' };
    expect(
      await amid('demandReset', vic.userId, () => app.on(1).request('POST', '/v1/auth/password/reset', { body })),
    ).toEqual([204, 400]);
  });
});

describe('sessions are ended by an administrator [ASVS 7.4.5]', () => {
  it('of one person: all devices, on every instance; others stay signed in, and the password stays good', async () => {
    const [vic, other] = [await signUp(app, 'vic'), await signUp(app, 'other')];
    const phone = await signIn(app, vic);
    await Promise.all([vic.token, phone.token, other.token].map(isOpen));
    expect((await app.request('DELETE', `/v1/users/${vic.userId}/sessions`, { token: admin.token })).status).toBe(204);
    await Promise.all([expectNow(vic.token, 401), expectNow(phone.token, 401)]);
    expect((await refresh(vic, 1)).status).toBe(401);
    await isOpen(other.token);
    await isOpen((await signIn(app, vic)).token);
    const event = await app.auditEvent('session_expired', ({ target_id }) => target_id === vic.userId);
    expect(event).toMatchObject({ actor_id: admin.userId, details: { sessions: 2, by: 'administrator' } });
  });

  it('of everyone: all are out at once on every instance, the caller too, and all can sign in again', async () => {
    const people = await Promise.all(['ann', 'bob', 'cleo'].map((name) => signUp(app, name)));
    await Promise.all(people.map(({ token }) => isOpen(token)));
    expect((await app.request('DELETE', '/v1/sessions', { token: admin.token })).status).toBe(204);
    await Promise.all([...people, admin].map(({ token }) => expectNow(token, 401)));
    for (const person of people) expect((await refresh(person)).status).toBe(401);
    expect(await app.sql('SELECT id FROM sessions WHERE ended_at IS NULL')).toEqual([]);
    await app.auditEvent('session_expired', ({ details }) => (details as { everyone?: boolean }).everyone === true);
    await isOpen((await signIn(app, people[0]!)).token);
    admin = { ...admin, ...(await signIn(app, admin)) };
  });
});

describe('what administrators may not [A5-5] [ASVS 7.5.3]', () => {
  const calls = (id: string): readonly (readonly [string, string, object?])[] => [
    ['PATCH', `/v1/users/${id}/status`, { status: 'disabled' }],
    ['POST', `/v1/users/${id}/password-reset`],
    ['DELETE', `/v1/users/${id}/sessions`],
  ];

  it('turns on the own account: 403, written down, and nothing has happened', async () => {
    for (const [method, path, body] of calls(admin.userId)) {
      expect((await app.request(method, path, { token: admin.token, body })).status).toBe(403);
    }
    await app.auditEvent(
      'authz_fail',
      ({ details, target_id }) =>
        target_id === admin.userId && (details as { reason?: string }).reason === 'own-account',
    );
    await isOpen(admin.token);
    await isOpen((await signIn(app, admin)).token);
  });

  it('comes with a session of six minutes ago: 401 step-up-required, the victim goes on', async () => {
    const vic = await signUp(app, 'vic');
    const old = await signIn(app, admin);
    await app.operate(
      `UPDATE sessions SET authenticated_at = authenticated_at - interval '6 minutes' WHERE id = (SELECT ` +
        'max(id::text)::uuid FROM sessions WHERE user_id = $1)',
      [admin.userId],
    );
    for (const [method, path, body] of [...calls(vic.userId), ['DELETE', '/v1/sessions'] as const]) {
      const { status, headers } = await app.request(method, path, { token: old.token, body });
      expect([status, headers['www-authenticate']]).toEqual([
        401,
        'Bearer error="insufficient_user_authentication", max_age="300"',
      ]);
    }
    await isOpen(vic.token);
  });

  it('is no administrator: 403, and the victim goes on', async () => {
    const [mallory, vic] = [await signUp(app, 'mallory'), await signUp(app, 'vic')];
    for (const [method, path, body] of [...calls(vic.userId), ['DELETE', '/v1/sessions'] as const]) {
      expect((await app.request(method, path, { token: mallory.token, body })).status).toBe(403);
    }
    await isOpen(vic.token);
  });
});

describe('the last administrator stays [A5-5] [ASVS 15.4.2]', () => {
  const administrators = () =>
    app.sql<{ id: string }>(`SELECT id FROM users WHERE 'admin' = ANY (roles) AND status = 'active'`);
  const demote = (by: Actor, id: string, index: number) =>
    app.on(index).request('PATCH', `/v1/users/${id}/roles`, { token: by.token, body: { roles: ['user'] } });

  // Held together by a barrier on PostgreSQL: test/auth/races.services.test.ts.
  it('two lock each other out at once, four times: one stays, every time', async () => {
    for (let round = 0; round < 4; round++) {
      const other = await signUpAdministrator(app, 'other');
      const answers = await Promise.all([
        setStatus(admin, other.userId, 'disabled', 0),
        setStatus(other, admin.userId, 'disabled', 1),
      ]);
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
      expect(await administrators()).toHaveLength(1);
      if ((await administrators())[0]?.id !== admin.userId) admin = other;
    }
  }, 60_000);

  it('one disables while the other demotes, at once: one stays', async () => {
    for (let round = 0; round < 5; round++) {
      const other = await signUpAdministrator(app, 'other');
      await Promise.all([setStatus(admin, other.userId, 'disabled', 0), demote(other, admin.userId, 1)]);
      expect(await administrators()).toHaveLength(1);
      if ((await administrators())[0]?.id !== admin.userId) admin = other;
    }
  });

  it('one is demoted, promoted, and disables the other, all at once, five times: one stays', async () => {
    let other = await signUpAdministrator(app, 'other');
    const grant = async () => get(UsersService).grant(other.email, 'admin');
    for (let round = 0; round < 5; round++) {
      await Promise.all([
        demote(admin, other.userId, 0),
        grant(),
        setStatus(other, admin.userId, 'disabled', 1),
        grant(),
        demote(admin, other.userId, 1),
      ]);
      expect((await administrators()).length).toBeGreaterThan(0);
      await app.operate(`UPDATE users SET roles = '{user,admin}', status = 'active' WHERE id = ANY ($1)`, [
        [admin.userId, other.userId],
      ]);
      [admin, other] = [
        { ...admin, ...(await signIn(app, admin)) },
        { ...other, ...(await signIn(app, other)) },
      ];
    }
    await app.operate(`UPDATE users SET roles = '{user}' WHERE id = $1`, [other.userId]);
  }, 60_000);

  it('a disabled administrator does not count: the only other one cannot be demoted', async () => {
    const other = await signUpAdministrator(app, 'other');
    await app.operate(`UPDATE users SET status = 'disabled' WHERE id = $1`, [admin.userId]);
    expect((await app.request('DELETE', '/v1/users/me', { token: other.token })).status).toBe(409);
    await app.operate(`UPDATE users SET status = 'active' WHERE id = $1`, [admin.userId]);
    expect(await administrators()).toHaveLength(2);
  });
});
