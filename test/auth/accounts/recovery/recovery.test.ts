import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mailedToken, signIn, signUp, type Actor } from '../../../support/actors.js';
import { startApp, type TestApp } from '../../../support/app.js';
import { SampleFactorModule } from '../../../support/sample/sample-factor.module.js';
import { enrolFactor } from '../../../support/second-factors.js';
import { publicUrl } from '../../forge.js';
import { visible } from '../../visible.js';

const newPassword = 'violet harbour counts to nine';

describe('recovery of a forgotten password (ASVS V6.4)', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startApp({ modules: [SampleFactorModule] });
  });
  afterAll(() => app.close());

  const forgot = (email: string, headers: Record<string, string> = {}) =>
    app.request('POST', '/v1/auth/password/forgot', { body: { email }, headers });
  const reset = (token: string, password = newPassword, instance = 0, headers: Record<string, string> = {}) =>
    app.on(instance).request('POST', '/v1/auth/password/reset', { body: { token, password }, headers });
  const login = (email: string, password: string) =>
    app.request('POST', '/v1/auth/login', { body: { email, password } });
  const me = (token: string, instance = 0) => app.on(instance).request('GET', '/v1/users/me', { token });

  /** Asks for a reset and reads its mail. */
  async function tokenFor({ email }: Pick<Actor, 'email'>): Promise<string> {
    expect((await forgot(email)).status).toBe(202);
    await app.mailQuiet();
    return mailedToken(app, email);
  }

  it('an owner resets it: the new one works, all sessions end, a mail tells [ASVS 6.4.1] [ASVS 7.4.3]', async () => {
    const alice = await signUp(app, 'alice');
    expect((await me(alice.token, 1)).status).toBe(200);
    const answer = await reset(await tokenFor(alice));
    expect([answer.status, answer.text]).toEqual([204, '']);
    await expect.poll(async () => (await me(alice.token, 1)).status).toBe(401);
    expect((await login(alice.email, alice.password)).status).toBe(401);
    expect((await login(alice.email, newPassword)).status).toBe(200);
    await app.auditEvent('authn_reset_requested', ({ target_id }) => target_id === alice.userId);
    await app.auditEvent('authn_password_reset', ({ target_id }) => target_id === alice.userId);
    // With: notices.
    await app.mailTo(alice.email, 'Your password was reset');
  });

  it('resets it and expects to be signed in: no session arises [A2-5] [ASVS 6.3.6]', async () => {
    const alice = await signUp(app, 'alice');
    const { headers } = await reset(await tokenFor(alice));
    expect(headers['set-cookie']).toBeUndefined();
    expect(await app.sql('SELECT id FROM sessions WHERE user_id = $1 AND ended_at IS NULL', [alice.userId])).toEqual(
      [],
    );
  });

  it('asks for an address without an account: the same answer, and a mail of its own [A2-2] [ASVS 6.3.8]', async () => {
    const alice = await signUp(app, 'alice');
    const unknown = `nobody.${randomBytes(4).toString('hex')}@example.org`;
    expect(visible(await forgot(alice.email))).toEqual(visible(await forgot(unknown)));
    const mail = await app.mailTo(unknown, 'You have no account');
    expect(mail.text).not.toMatch(/[A-Za-z0-9_-]{40,}/);
  });

  it('asks for a disabled account: the same answer, and no token [A2-5]', async () => {
    const gone = await signUp(app, 'gone');
    await app.operate(`UPDATE users SET status = 'disabled' WHERE id = $1`, [gone.userId]);
    expect((await forgot(gone.email)).status).toBe(202);
    await app.mailTo(gone.email, 'You have no account');
  });

  it('uses the token twice: 400, and the audit trail has it [A2-5] [ASVS 6.4.1]', async () => {
    const alice = await signUp(app, 'alice');
    const token = await tokenFor(alice);
    expect((await reset(token)).status).toBe(204);
    expect(await reset(token, 'pebbles hum beneath the quay')).toMatchObject({
      status: 400,
      body: { errors: [{ code: 'unusable-token' }] },
    });
    expect((await login(alice.email, newPassword)).status).toBe(200);
    await app.auditEvent('authn_token_fail', ({ details }) => (details as { flow?: string }).flow === 'password-reset');
  });

  it('uses the token 20 times in parallel on all instances: one password [A2-5] [ASVS 15.4.2]', async () => {
    const alice = await signUp(app, 'alice');
    const token = await tokenFor(alice);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => reset(token, `${newPassword} ${index}`, index)),
    );
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 204)).toHaveLength(1);
    expect((await login(alice.email, `${newPassword} ${statuses.indexOf(204)}`)).status).toBe(200);
  });

  it('uses an older token after a newer request: 400, the newer works [A2-5] [ASVS 6.6.2]', async () => {
    const alice = await signUp(app, 'alice');
    const older = await tokenFor(alice);
    const newer = await tokenFor(alice);
    expect((await reset(older)).status).toBe(400);
    expect((await reset(newer)).status).toBe(204);
  });

  it('sends a token of another purpose, of another row, cut, in capitals, or none at all: 400 [A2-5]', async () => {
    const alice = await signUp(app, 'alice');
    const email = `someone.${randomBytes(4).toString('hex')}@example.org`;
    await app.request('POST', '/v1/auth/register', { body: { email } });
    const [registration, good] = [await mailedToken(app, email), await tokenFor(alice)];
    const mixed = good.slice(0, 32) + registration.slice(32);
    for (const token of [
      registration,
      mixed,
      good.slice(0, -1),
      good.toUpperCase(),
      'x',
      randomBytes(48).toString('hex'),
    ]) {
      expect((await reset(token)).status).toBe(400);
    }
    expect(
      (
        await app.request('POST', '/v1/auth/email/verify', {
          body: { token: good, password: newPassword, name: 'Someone' },
        })
      ).status,
    ).toBe(400);
    expect((await reset(good)).status).toBe(204);
  });

  it('moves a token of theirs to the row of a victim by SQL: 400 [A2-5] [practice 7.3]', async () => {
    const [mallory, victim] = [await signUp(app, 'mallory'), await signUp(app, 'victim')];
    const token = await tokenFor(mallory);
    await app.sql('UPDATE one_time_tokens SET user_id = $1 WHERE user_id = $2', [victim.userId, mallory.userId]);
    expect((await reset(token)).status).toBe(400);
    expect((await login(victim.email, victim.password)).status).toBe(200);
  });

  it('reads the tables: no address and no token in clear [practice 7.3]', async () => {
    const alice = await signUp(app, 'alice');
    const token = await tokenFor(alice);
    const rows = JSON.stringify([
      await app.sql('SELECT * FROM one_time_tokens'),
      await app.sql('SELECT * FROM audit_events'),
    ]);
    for (const secret of [alice.email, token, token.slice(32)]) expect(rows).not.toContain(secret);
  });

  it('has a second factor: after the reset it is still due and still there [A2-5] [ASVS 6.4.3]', async () => {
    const alice = await signUp(app, 'alice');
    await enrolFactor(app, alice);
    expect((await reset(await tokenFor(alice))).status).toBe(204);
    const { body } = await login(alice.email, newPassword);
    expect(body).toMatchObject({ secondFactors: expect.arrayContaining(['sample']), refreshToken: null });
    expect((await me(body.accessToken as string)).status).toBe(401);
    const extra = { token: await tokenFor(alice), password: newPassword, secondFactor: 'none' };
    expect((await app.request('POST', '/v1/auth/password/reset', { body: extra })).status).toBe(400);
  });

  it('forges Host and X-Forwarded-Host: the mail names the configured address only [A2-5]', async () => {
    const alice = await signUp(app, 'alice');
    await forgot(alice.email, { 'x-forwarded-host': 'evil.example', 'forwarded': 'host=evil.example' });
    await forgot(alice.email, { host: 'evil.example' });
    const { text } = await app.mailTo(alice.email, 'Set a new password');
    expect(text).not.toContain('evil.example');
    expect(text).toContain(`${publicUrl(app)}/v1/auth/password/reset`);
    expect(text).not.toMatch(/https?:\S+[0-9a-f]{64}/);
  });

  it('chooses a bad password: 422, and the token is still good [ASVS 6.2.4]', async () => {
    const alice = await signUp(app, 'alice');
    const token = await tokenFor(alice);
    for (const bad of ['fourteen chars', 'passwordpassword', `${alice.email.split('@')[0]} again`]) {
      expect(await reset(token, bad)).toMatchObject({ status: 422, body: { errors: [{ pointer: '/password' }] } });
    }
    expect((await reset(token)).status).toBe(204);
  });

  it('an administrator demands a reset: the one 401, until it is reset [ASVS 6.4.6] [ASVS 6.3.8]', async () => {
    const alice = await signUp(app, 'alice');
    await app.sql('UPDATE password_credentials SET reset_due_at = now() WHERE user_id = $1', [alice.userId]);
    expect(visible(await login(alice.email, alice.password))).toEqual(
      visible(await login(alice.email, 'a wrong password')),
    );
    await app.auditEvent(
      'authn_login_fail',
      ({ details, target_id }) => target_id === alice.userId && (details as { reason: string }).reason === 'reset-due',
    );
    expect((await reset(await tokenFor(alice))).status).toBe(204);
    await signIn(app, { email: alice.email, password: newPassword });
  });

  // The last two move the clock.
  it('uses the token after fifteen minutes: 400 [A2-5] [ASVS 6.4.1]', async () => {
    const alice = await signUp(app, 'alice');
    const token = await tokenFor(alice);
    app.clock.advance(15 * 60);
    expect((await reset(token)).status).toBe(400);
    // Before anything is said of the password: else the answer tells that the token was one.
    expect((await reset(token, 'passwordpassword')).status).toBe(400);
    expect((await login(alice.email, alice.password)).status).toBe(200);
  });

  it('a stranger asks for hundreds of addresses: expired rows go again with later requests', async () => {
    for (let count = 0; count < 4; count++) await forgot(`stranger${count}@example.org`);
    app.clock.advance(15 * 60);
    await forgot('the.last.one@example.org');
    expect(await app.sql('SELECT id FROM one_time_tokens WHERE expires_at <= $1', [app.clock.now()])).toEqual([]);
  });
});
