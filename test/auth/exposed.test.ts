import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mailedToken, signUp } from '../support/actors.js';
import { startApp, type TestApp } from '../support/app.js';
import { SampleFactorModule } from '../support/sample/sample-factor.module.js';
import { enrolFactor, halfSignIn } from '../support/second-factors.js';
import { register, signInOptions } from './factors/passkeys/ceremonies.js';
import { proveByRecoveryCode } from './factors/recovery-codes/prove.js';

describe('whatever opens something is worth nothing once it crossed the wire in clear (practice 1.3)', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startApp({ modules: [SampleFactorModule] });
  });
  afterAll(() => app.close());

  const sendInClear = (path: string, body: object, token?: string) =>
    new Promise<string>((resolve, reject) => {
      const headers = {
        'content-type': 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      };
      const call = request(
        { host: '127.0.0.1', port: app.on(0).addresses.http, method: 'POST', path, headers },
        (response) => {
          let text = '';
          response.on('data', (chunk: Buffer) => (text += chunk.toString())).on('end', () => resolve(text));
        },
      );
      call.on('error', reject).end(JSON.stringify(body));
    });
  const newPassword = 'violet harbour counts to nine';
  const event = (reason: string) =>
    app.auditEvent('authn_credential_in_clear', ({ details }) => (details as { reason?: string }).reason === reason);
  const revoked = 'it is revoked: ';

  it('a token to sign up: it makes no account, and the address may register again [practice 1.3]', async () => {
    const email = 'in.clear@example.org';
    await app.request('POST', '/v1/auth/register', { body: { email } });
    const body = { token: await mailedToken(app, email), password: newPassword, name: 'Eve' };
    expect(await sendInClear('/v1/auth/email/verify', body)).toContain(revoked);
    expect((await app.request('POST', '/v1/auth/email/verify', { body })).status).toBe(400);
    expect(await app.sql(`SELECT id FROM one_time_tokens WHERE purpose = 'registration'`)).toEqual([]);
    await event('registration');
  });

  // With: recovery.
  it('a token to reset a password: it sets none, and the old password stays [practice 1.3]', async () => {
    const alice = await signUp(app, 'alice');
    await app.request('POST', '/v1/auth/password/forgot', { body: { email: alice.email } });
    await app.mailQuiet();
    const body = { token: await mailedToken(app, alice.email), password: newPassword };
    expect(await sendInClear('/v1/auth/password/reset', body)).toContain(revoked);
    expect((await app.request('POST', '/v1/auth/password/reset', { body })).status).toBe(400);
    expect(await app.sql('SELECT id FROM one_time_tokens WHERE user_id = $1', [alice.userId])).toEqual([]);
    await event('password-reset');
  });

  // With: email-change.
  it('one of the tokens to change an address: the whole change ends [practice 1.3]', async () => {
    const alice = await signUp(app, 'alice');
    const newEmail = `moved.${alice.email}`;
    expect(
      (await app.request('POST', '/v1/auth/email/change', { token: alice.token, body: { email: newEmail } })).status,
    ).toBe(202);
    await app.mailQuiet();
    const [old, fresh] = [await mailedToken(app, alice.email), await mailedToken(app, newEmail)];
    expect(await sendInClear('/v1/auth/email/confirm', { token: fresh })).toContain(revoked);
    for (const token of [old, fresh])
      expect((await app.request('POST', '/v1/auth/email/confirm', { body: { token } })).status).toBe(400);
    expect(await app.sql(`SELECT user_id FROM one_time_tokens WHERE purpose LIKE 'email-change%'`)).toEqual([]);
    await event('email-change');
  });

  // With: recovery-codes.
  it('a recovery code with the token of half a sign-in: used up, others work [practice 1.3]', async () => {
    const owner = await enrolFactor(app, await signUp(app, 'owner'));
    const [code = '', another = ''] = owner.recoveryCodes;
    expect(
      await sendInClear('/v1/auth/recovery-codes/verify', { code: code.toLowerCase() }, await halfSignIn(app, owner)),
    ).toContain(revoked);
    expect((await proveByRecoveryCode(app, await halfSignIn(app, owner), code)).status).toBe(401);
    expect((await proveByRecoveryCode(app, await halfSignIn(app, owner), another)).status).toBe(200);
    await event('recovery-code');
  });

  // With: passkeys.
  it('the answer of a passkey: whoever read it cannot hand it in first [practice 1.3]', async () => {
    const owner = await signUp(app, 'owner');
    const { authenticator } = await register(app, owner);
    const body = { credential: authenticator.get(await signInOptions(app)) };
    expect(await sendInClear('/v1/auth/passkeys/sign-in', body)).toContain(revoked);
    expect((await app.request('POST', '/v1/auth/passkeys/sign-in', { body })).status).toBe(401);
  });

  // With: recovery.
  it('made-up tokens, and genuine ones of another kind: nothing of anybody ends [practice 1.3]', async () => {
    const alice = await signUp(app, 'alice');
    await app.request('POST', '/v1/auth/password/forgot', { body: { email: alice.email } });
    await app.mailQuiet();
    const token = await mailedToken(app, alice.email);
    await sendInClear('/v1/auth/password/reset', { token: `${token.slice(0, 32)}${'0'.repeat(64)}` });
    expect(
      (await app.request('POST', '/v1/auth/password/reset', { body: { token, password: newPassword } })).status,
    ).toBe(204);
  });

  it('names what it revokes, and does not say so of passwords [practice 1.3]', async () => {
    const detail = JSON.parse(await sendInClear('/v1/auth/login', { email: 'a@example.org', password: 'x' }))
      .detail as string;
    const kinds = [
      'sessions',
      'tokens to sign up',
      // With: recovery.
      'tokens to reset a password',
      // With: email-change.
      'tokens to change an address',
      // With: recovery-codes.
      'recovery codes that came with an access token',
      // With: passkeys.
      'answers of passkeys',
    ];
    for (const kind of kinds) expect(detail).toContain(kind);
    expect(detail).toContain('Change whatever else it held, such as a password.');
  });
});
