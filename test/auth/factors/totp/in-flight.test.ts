import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { SessionsService } from '../../../../src/auth/sessions/sessions.service.js';
import { signUp, signUpAdministrator, type Actor } from '../../../support/actors.js';
import { startApp, type TestApp } from '../../../support/app.js';
import { meanwhile } from '../../../support/meanwhile.js';
import { halfSignIn } from '../../../support/second-factors.js';
import { enrolTotp, nextCode, prove, signInWithCode, wrongCode, type ActorWithApp } from './app.js';
import { proveByRecoveryCode } from '../recovery-codes/prove.js';
import { unlimited } from '../../../support/unlimited.js';

// Somebody knows the password and has a code; the owner or an administrator acts in the very moment in which it is
// proved.
describe('what ends sessions ends the proof that is on its way too [A2-6] [ASVS 7.4.3] [ASVS 7.4.5]', () => {
  let app: TestApp;
  let alice: ActorWithApp;

  beforeAll(async () => {
    unlimited();
    app = await startApp();
    alice = await enrolTotp(app, await signUp(app, 'alice'));
  });
  afterAll(async () => {
    vi.restoreAllMocks();
    await app.close();
  });

  const open = ({ userId }: Actor) =>
    app.sql('SELECT id FROM sessions WHERE user_id = $1 AND ended_at IS NULL', [userId]);
  /** The step of the code that was used last, and the recovery codes that were used. */
  const usedBy = async ({ userId }: Actor) => [
    await app.sql('SELECT last_step FROM totp_authenticators WHERE user_id = $1', [userId]),
    // With: recovery-codes.
    await app.sql('SELECT id FROM recovery_codes WHERE user_id = $1 AND used_at IS NOT NULL ORDER BY id', [userId]),
  ];
  const call = async (method: string, path: string, token: string, body?: object) => {
    expect((await app.on(1).request(method, path, { token, ...(body === undefined ? {} : { body }) })).status).toBe(
      204,
    );
  };

  const endings: Readonly<Record<string, (person: ActorWithApp, half: string) => Promise<void>>> = {
    // With: administration.
    'an administrator demands another password': async ({ userId }) =>
      call('POST', `/v1/users/${userId}/password-reset`, (await signUpAdministrator(app)).token),
    // With: administration.
    'an administrator ends all sessions': async ({ userId }) =>
      call('DELETE', `/v1/users/${userId}/sessions`, (await signUpAdministrator(app)).token),
    'the owner ends all others': ({ token }) => call('DELETE', '/v1/auth/sessions/others', token),
    'the owner removes the app': ({ token }) => call('DELETE', '/v1/auth/totp', token),
    'the owner changes the password': ({ token, password }) =>
      call('POST', '/v1/auth/password/change', token, {
        oldPassword: password,
        newPassword: 'eleven grey herons by the weir',
      }),
    'the half session signs out': (_, half) => call('POST', '/v1/auth/logout', half),
  };

  it.each(Object.keys(endings))(
    '%s after the guard and before the code is looked at: 401, no session, and the code is not used up',
    async (name) => {
      const person = await enrolTotp(app, await signUp(app, 'bob'));
      const half = await halfSignIn(app, person);
      const code = nextCode(app, person.secret);
      const before = await usedBy(person);
      meanwhile(app, () => endings[name]?.(person, half) ?? Promise.reject(new Error(name)));
      expect((await prove(app, half, code)).status).toBe(401);
      expect((await open(person)).length).toBeLessThanOrEqual(1);
      expect(
        await app.sql(`SELECT id FROM sessions WHERE user_id = $1 AND ended_at IS NULL AND methods <> '{pwd,otp}'`, [
          person.userId,
        ]),
      ).toEqual([]);
      if (name !== 'the owner removes the app') expect(await usedBy(person)).toEqual(before);
    },
  );

  // With: recovery-codes.
  it('sends a code and three recovery codes at once: one whole session, one code is used up', async () => {
    const [before, whole] = [await usedBy(alice), (await open(alice)).length];
    const half = await halfSignIn(app, alice);
    const code = nextCode(app, alice.secret);
    const answers = await Promise.all([
      prove(app, half, code, 1),
      ...alice.recoveryCodes.slice(0, 3).map((text, index) => proveByRecoveryCode(app, half, text, index)),
    ]);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 401, 401, 401]);
    const [step, codes] = await usedBy(alice);
    const isStepUsed = step?.[0]?.['last_step'] !== before[0]?.[0]?.['last_step'];
    expect((codes?.length ?? 0) + Number(isStepUsed)).toBe((before[1]?.length ?? 0) + 1);
    expect(await open(alice)).toHaveLength(whole + 1);
  });

  it('the session cannot be written: 500, the code still counts, and the half session goes on', async () => {
    const half = await halfSignIn(app, alice);
    const code = nextCode(app, alice.secret);
    const before = await usedBy(alice);
    vi.spyOn(app.on(0).service.app.get(SessionsService, { strict: false }), 'create').mockRejectedValueOnce(
      new Error('the disk is full'),
    );
    expect((await prove(app, half, code)).status).toBe(500);
    expect(await usedBy(alice)).toEqual(before);
    expect((await prove(app, half, code)).status).toBe(200);
  });

  it('a wrong code ends nothing: the half session proves the next one', async () => {
    const half = await halfSignIn(app, alice);
    expect((await prove(app, half, wrongCode(app, alice.secret))).status).toBe(401);
    expect((await prove(app, half, nextCode(app, alice.secret))).status).toBe(200);
    expect((await signInWithCode(app, alice)).token).toBeTruthy();
  });
});
