import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { decode } from '../auth/forge.js';
import { signIn, signUp, signUpAdministrator, type Actor } from '../support/actors.js';
import { startApp, type TestApp } from '../support/app.js';
import { proveByRecoveryCode } from '../auth/factors/recovery-codes/prove.js';
import { SampleFactorModule } from '../support/sample/sample-factor.module.js';
import { enrolFactor, halfSignIn, removeFactor, signInWithFactor } from '../support/second-factors.js';

let app: TestApp;
let victim: Actor;
let mallory: Actor;

beforeAll(async () => {
  app = await startApp({ modules: [SampleFactorModule], env: { RATE_LIMIT_SCALE: '1000' }, instances: 1 });
});
afterAll(() => app.close());
beforeEach(async () => {
  [victim, mallory] = [await signUp(app, 'victim'), await signUp(app, 'mallory')];
});

const sessionOf = (token: string) => decode(token).payload['sid'] as string;
const read = async (token: string, path = '/v1/users/me') => (await app.request('GET', path, { token })).status;
const refresh = (refreshToken: string) => app.request('POST', '/v1/auth/refresh', { body: { refreshToken } });
const login = ({ email, password }: Actor) => app.request('POST', '/v1/auth/login', { body: { email, password } });
/** Past the micro-cache: what the database says now. */
const later = () => app.clock.advance(3);
const alarmAbout = (type: string, id: string) =>
  app.auditEvent('crypt_decrypt_fail', (row) => row['target_type'] === type && row['target_id'] === id);

// Somebody who can write to every table, and has an account, but not the key ring.
describe('whoever writes to the database [A5-5] [ASVS 11.3.3]', () => {
  it("makes their session the victim's, and refreshes it: 401, no token, an alarm", async () => {
    const id = sessionOf(mallory.token);
    await app.sql('UPDATE sessions SET user_id = $1 WHERE id = $2', [victim.userId, id]);
    const stolen = await refresh(mallory.refreshToken);
    expect(stolen.status).toBe(401);
    expect(stolen.text).not.toContain('accessToken');
    await alarmAbout('Session', id);
    // With: detection, logging.
    await expect.poll(() => app.logText()).toContain(`alert crypt_decrypt_fail`);
  });

  it.each([
    ['a session that has proved more', `methods = '{pwd,otp}'`],
    ['one that was proved just now', `authenticated_at = now() + interval '1 second'`],
    ['one that never ends', `expires_at = now() + interval '10 years'`],
    ['one of a browser', 'in_browser = true'],
  ])('makes of their session %s: 401, an alarm', async (_, change) => {
    const id = sessionOf(mallory.token);
    await app.sql(`UPDATE sessions SET ${change} WHERE id = $1`, [id]);
    later();
    expect(await read(mallory.token)).toBe(401);
    await alarmAbout('Session', id);
  });

  it('lets half a sign-in pass for a whole one: 401, an alarm', async () => {
    await app.operate('UPDATE sessions SET factor_due = true WHERE id = $1', [sessionOf(mallory.token)]);
    later();
    expect(await read(mallory.token)).toBe(401);
    await app.sql('UPDATE sessions SET factor_due = false WHERE id = $1', [sessionOf(mallory.token)]);
    later();
    expect(await read(mallory.token)).toBe(401);
    await alarmAbout('Session', sessionOf(mallory.token));
  });

  it('brings a session back that was ended: 401 for both tokens, an alarm', async () => {
    expect((await app.request('POST', '/v1/auth/logout', { token: mallory.token })).status).toBe(204);
    await app.sql('UPDATE sessions SET ended_at = NULL, end_reason = NULL WHERE id = $1', [sessionOf(mallory.token)]);
    later();
    expect(await read(mallory.token)).toBe(401);
    expect((await refresh(mallory.refreshToken)).status).toBe(401);
    await alarmAbout('Session', sessionOf(mallory.token));
  });

  it("copies the victim's seal along with the victim's columns: 401", async () => {
    await app.sql(
      `UPDATE sessions mine SET user_id = s.user_id, authenticated_at = s.authenticated_at, methods = s.methods,
         expires_at = s.expires_at, authority_mac = s.authority_mac FROM sessions s WHERE mine.id = $1 AND s.id = $2`,
      [sessionOf(mallory.token), sessionOf(victim.token)],
    );
    expect((await refresh(mallory.refreshToken)).status).toBe(401);
  });

  it('makes themselves an administrator: signed out, an alarm; an administrator puts it right', async () => {
    await app.sql(`UPDATE users SET roles = '{user,admin}' WHERE id = $1`, [mallory.userId]);
    later();
    expect(await read(mallory.token, '/v1/users')).toBe(401);
    expect((await refresh(mallory.refreshToken)).status).toBe(401);
    expect((await login(mallory)).status).toBe(401);
    await alarmAbout('User', mallory.userId);
    // With: administration.
    {
      const admin = await signUpAdministratorBesides(mallory);
      expect(
        (
          await app.request('PATCH', `/v1/users/${mallory.userId}/status`, {
            token: admin.token,
            body: { status: 'active' },
          })
        ).status,
      ).toBe(200);
      expect(await app.sql('SELECT roles FROM users WHERE id = $1', [mallory.userId])).toEqual([{ roles: ['user'] }]);
      const { token } = await signIn(app, mallory);
      expect([await read(token), await read(token, '/v1/users')]).toEqual([200, 403]);
    }
  });

  // With: administration.
  it('opens an account again that is locked: nobody is let in, nor by a change of its roles', async () => {
    const admin = await signUpAdministrator(app);
    await app.request('PATCH', `/v1/users/${mallory.userId}/status`, {
      token: admin.token,
      body: { status: 'disabled' },
    });
    await app.sql(`UPDATE users SET status = 'active' WHERE id = $1`, [mallory.userId]);
    expect((await login(mallory)).status).toBe(401);
    const changed = await app.request('PATCH', `/v1/users/${mallory.userId}/roles`, {
      token: admin.token,
      body: { roles: ['user'] },
    });
    expect(changed.status).toBe(200);
    expect(await app.sql('SELECT status FROM users WHERE id = $1', [mallory.userId])).toEqual([{ status: 'disabled' }]);
    expect((await login(mallory)).status).toBe(401);
  });

  it("deletes the victim's second factor, and knows the password: no session, an alarm", async () => {
    await enrolFactor(app, victim);
    await app.sql('DELETE FROM sample_factors WHERE user_id = $1', [victim.userId]);
    const answer = await login(victim);
    expect(answer.status).toBe(401);
    expect(answer.text).not.toContain('accessToken');
    await alarmAbout('User', victim.userId);
  });

  // With: administration.
  it('takes back that a password has to be reset: it still signs nobody in', async () => {
    const admin = await signUpAdministrator(app);
    expect(
      (await app.request('POST', `/v1/users/${victim.userId}/password-reset`, { token: admin.token })).status,
    ).toBe(204);
    await app.sql('UPDATE password_credentials SET reset_due_at = NULL WHERE user_id = $1', [victim.userId]);
    expect((await login(victim)).status).toBe(401);
  });

  // With: recovery-codes.
  it('makes a recovery code unused that the victim has used: 401', async () => {
    const person = await enrolFactor(app, victim);
    const code = person.recoveryCodes[0] ?? '';
    expect((await proveByRecoveryCode(app, await halfSignIn(app, person), code)).status).toBe(200);
    await app.sql('UPDATE recovery_codes SET used_at = NULL WHERE user_id = $1', [victim.userId]);
    expect((await proveByRecoveryCode(app, await halfSignIn(app, person), code)).status).toBe(401);
  });

  it('is nobody: an honest person with a second factor signs in, refreshes and removes it', async () => {
    const person = await enrolFactor(app, victim);
    const whole = await signInWithFactor(app, person);
    const renewed = await refresh(whole.refreshToken);
    expect(renewed.status).toBe(200);
    expect((await removeFactor(app, { token: renewed.body.accessToken as string })).status).toBe(204);
    expect((await login(victim)).body.secondFactors).toEqual([]);
  });
});

/** Without sealing what the attacker wrote. */
// With: administration.
async function signUpAdministratorBesides(tampered: Actor): Promise<Actor> {
  const [{ authority_mac: broken } = {}] = await app.sql('SELECT authority_mac FROM users WHERE id = $1', [
    tampered.userId,
  ]);
  const admin = await signUpAdministrator(app);
  await app.sql('UPDATE users SET authority_mac = $2 WHERE id = $1', [tampered.userId, broken]);
  return admin;
}
