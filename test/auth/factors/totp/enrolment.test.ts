import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signIn, signUp } from '../../../support/actors.js';
import { startApp, type TestApp } from '../../../support/app.js';
import { halfSignIn } from '../../../support/second-factors.js';
import { enrolTotp, nextCode, prove, signInWithCode, wrongCode } from './app.js';
import { totpCode } from '../../../support/totp.js';
import { decode } from '../../forge.js';

describe('an authenticator app is enrolled and taken away (ASVS V6.5) [practice 2.5]', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startApp({ env: { RATE_LIMIT_SCALE: '1000' } });
  });
  afterAll(() => app.close());

  const begin = (token: string) => app.request('POST', '/v1/auth/totp', { token });
  const confirm = (token: string, code: string, instance = 0) =>
    app.on(instance).request('POST', '/v1/auth/totp/confirm', { token, body: { code } });
  const me = (token: string, instance = 0) => app.on(instance).request('GET', '/v1/users/me', { token });
  const isConfirmed = async (userId: string) =>
    (await app.sql('SELECT 1 FROM totp_authenticators WHERE user_id = $1 AND confirmed_at IS NOT NULL', [userId]))
      .length === 1;
  const grow6MinutesOld = (token: string) =>
    app.operate(`UPDATE sessions SET authenticated_at = authenticated_at - interval '6 minutes' WHERE id = $1`, [
      decode(token).payload['sid'],
    ]);

  it('an honest person: secret of 160 bits, QR code that apps read, sealed row [ASVS 6.5.3]', async () => {
    const alice = await signUp(app, 'alice');
    const [first, second] = [(await begin(alice.token)).body, (await begin(alice.token)).body];
    expect(second.secret).toMatch(/^[A-Z2-7]{32}$/);
    expect(second.secret).not.toBe(first.secret);
    const uri = new URL(second.uri);
    expect([uri.protocol, uri.host, decodeURIComponent(uri.pathname)]).toEqual([
      'otpauth:',
      'totp',
      expect.stringMatching(`^/.+:${alice.email}$`),
    ]);
    // Absent parameters mean what authenticator apps take for granted.
    const parameters = { algorithm: 'SHA1', digits: '6', period: '30', ...Object.fromEntries(uri.searchParams) };
    expect(parameters).toEqual({
      secret: second.secret,
      issuer: expect.any(String),
      algorithm: 'SHA1',
      digits: '6',
      period: '30',
    });
    const [type, data = ''] = second.qrCode.split(',');
    expect([type, Buffer.from(data, 'base64').toString()]).toEqual([
      'data:image/svg+xml;base64',
      expect.stringMatching(/^<svg [^]+<\/svg>\s*$/),
    ]);
    const [row] = await app.sql('SELECT secret, confirmed_at FROM totp_authenticators WHERE user_id = $1', [
      alice.userId,
    ]);
    expect(row).toEqual({ secret: expect.stringMatching(/^enc:v1:/), confirmed_at: null });
  });

  it('a secret that no code has confirmed demands nothing at the next sign-in', async () => {
    const alice = await signUp(app, 'alice');
    await begin(alice.token);
    expect((await me((await signIn(app, alice)).token)).status).toBe(200);
  });

  it('steals a session and enrols an app of their own: 401 step-up-required [ASVS 7.5.1]', async () => {
    const alice = await signUp(app, 'alice');
    await grow6MinutesOld(alice.token);
    const refused = await begin(alice.token);
    expect([refused.status, refused.body.type]).toEqual([401, expect.stringContaining('step-up-required')]);
    expect(await app.sql('SELECT 1 FROM totp_authenticators WHERE user_id = $1', [alice.userId])).toEqual([]);
  });

  it('confirms by a wrong code, or without a secret: 401, an event, and no factor is there', async () => {
    const alice = await signUp(app, 'alice');
    expect((await confirm(alice.token, '123456')).status).toBe(401);
    const { secret } = (await begin(alice.token)).body;
    expect((await confirm(alice.token, wrongCode(app, secret))).status).toBe(401);
    expect(await isConfirmed(alice.userId)).toBe(false);
    await app.auditEvent(
      'input_validation_fail',
      (row) => row['target_id'] === alice.userId && (row['details'] as { reason: string }).reason === 'wrong',
    );
    // It was a slip of the person's own, and no factor is there that somebody could attack.
    await app.mailQuiet();
    expect(app.outbox().filter(({ to, subject }) => to === alice.email && subject.includes('refused'))).toEqual([]);
  });

  it('begins eight times at once: every one gets a secret, and the one that is stored confirms', async () => {
    const alice = await signUp(app, 'alice');
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, index) => app.on(index).request('POST', '/v1/auth/totp', { token: alice.token })),
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201));
    app.clock.advance(30);
    const confirmed = [];
    for (const { body } of answers)
      confirmed.push((await confirm(alice.token, totpCode(body.secret, app.clock.now()))).status);
    expect(confirmed.filter((status) => status === 200)).toHaveLength(1);
  });

  it('confirms a secret that was replaced since, or that is ten minutes old: 401', async () => {
    const alice = await signUp(app, 'alice');
    const replaced = (await begin(alice.token)).body.secret;
    const present = (await begin(alice.token)).body.secret;
    expect((await confirm(alice.token, nextCode(app, replaced))).status).toBe(401);
    app.clock.advance(571);
    expect((await confirm((await signIn(app, alice)).token, totpCode(present, app.clock.now()))).status).toBe(401);
    expect(await isConfirmed(alice.userId)).toBe(false);
  });

  it('confirming ends every other session; the own one has proved the app [ASVS 7.4.3]', async () => {
    const alice = await signUp(app, 'alice');
    const other = await signIn(app, alice);
    const { secret } = (await begin(alice.token)).body;
    const confirmed = await confirm(alice.token, nextCode(app, secret));
    expect(confirmed).toMatchObject({ status: 200, body: { tokens: null } });
    // With: recovery-codes.
    expect(new Set(confirmed.body.recoveryCodes).size).toBe(10);
    for (const index of app.instances.keys()) {
      await expect.poll(async () => (await me(other.token, index)).status, { timeout: 500 }).toBe(401);
      expect((await me(alice.token, index)).status).toBe(200);
    }
    expect((await app.request('POST', '/v1/auth/refresh', { body: { refreshToken: other.refreshToken } })).status).toBe(
      401,
    );
    const refreshed = await app.request('POST', '/v1/auth/refresh', { body: { refreshToken: alice.refreshToken } });
    expect(decode(refreshed.body.accessToken).payload['amr']).toEqual(['pwd', 'otp']);
    const event = await app.auditEvent('authn_factor_added', (row) => row['target_id'] === alice.userId);
    expect(event).toMatchObject({ target_type: 'user', outcome: 'success', details: { factor: 'totp' } });
  });

  it('presents the code that confirmed once more, to sign in: 401 [A2-6] [ASVS 6.5.1]', async () => {
    const alice = await enrolTotp(app, await signUp(app, 'alice'));
    expect((await prove(app, await halfSignIn(app, alice), totpCode(alice.secret, app.clock.now()))).status).toBe(401);
  });

  it('confirms on all instances at once: one success, and one set of recovery codes', async () => {
    const alice = await signUp(app, 'alice');
    const { secret } = (await begin(alice.token)).body;
    const code = nextCode(app, secret);
    const answers = await Promise.all(Array.from({ length: 8 }, (_, index) => confirm(alice.token, code, index)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(new Set(answers.map(({ status }) => status)).difference(new Set([200, 401, 409]))).toEqual(new Set());
    // With: recovery-codes.
    expect(await app.sql('SELECT id FROM recovery_codes WHERE user_id = $1', [alice.userId])).toHaveLength(10);
  });

  it('signs in again and again while the owner enrols: no session without the app [A2-6] [ASVS 7.4.3]', async () => {
    const alice = await signUp(app, 'alice');
    const { secret } = (await begin(alice.token)).body;
    const { email, password } = alice;
    const logins = Array.from({ length: 16 }, (_, index) =>
      app.on(index).request('POST', '/v1/auth/login', { body: { email, password } }),
    );
    await Promise.race(logins);
    const confirmed = await confirm(alice.token, nextCode(app, secret), 1);
    const statuses = (await Promise.all(logins)).map(({ status }) => status);
    expect([confirmed.status, new Set(statuses).difference(new Set([200, 409, 503]))]).toEqual([200, new Set()]);
    const open = await app.sql(
      'SELECT methods FROM sessions WHERE user_id = $1 AND ended_at IS NULL AND NOT factor_due',
      [alice.userId],
    );
    expect(open).toEqual([{ methods: ['pwd', 'otp'] }]);
  });

  it('begins another enrolment over an app in use: 409, and the app stays [A2-6]', async () => {
    const alice = await enrolTotp(app, await signUp(app, 'alice'));
    expect((await begin(alice.token)).status).toBe(409);
    expect((await signInWithCode(app, alice)).token).toBeTruthy();
  });

  it('takes the app away: step-up, and other sessions end [ASVS 6.5.6] [ASVS 7.4.3]', async () => {
    const alice = await enrolTotp(app, await signUp(app, 'alice'));
    const [other, own] = [await signInWithCode(app, alice), await signInWithCode(app, alice)];
    const half = await halfSignIn(app, alice);
    const remove = (token: string) => app.request('DELETE', '/v1/auth/totp', { token });
    await grow6MinutesOld(other.token);
    expect(await remove(other.token)).toMatchObject({
      status: 401,
      body: { type: expect.stringContaining('step-up-required') },
    });
    expect((await remove(own.token)).status).toBe(204);
    expect((await me(own.token)).status).toBe(200);
    for (const token of [other.token, half])
      await expect.poll(async () => (await me(token)).status, { timeout: 500 }).toBe(401);
    expect((await prove(app, half, nextCode(app, alice.secret))).status).toBe(401);
    expect((await remove(own.token)).status).toBe(404);
    expect((await signIn(app, alice)).refreshToken).toBeTruthy();
    await app.auditEvent('authn_factor_removed', (row) => row['target_id'] === alice.userId);
  });

  it('copies the sealed secret of an own app into the row of somebody else: it does not open', async () => {
    const [alice, mallory] = [
      await enrolTotp(app, await signUp(app, 'alice')),
      await enrolTotp(app, await signUp(app, 'mallory')),
    ];
    await app.sql(
      'UPDATE totp_authenticators SET secret = (SELECT secret FROM totp_authenticators WHERE user_id = $2) ' +
        'WHERE user_id = $1',
      [alice.userId, mallory.userId],
    );
    const { status, body } = await prove(app, await halfSignIn(app, alice), nextCode(app, mallory.secret));
    expect([status, body.accessToken]).toEqual([500, undefined]);
    await app.auditEvent('crypt_decrypt_fail');
  });

  it('the export tells that there is an app; logs and events hold no secret [practice 10.1]', async () => {
    const alice = await enrolTotp(app, await signUp(app, 'alice'));
    const { token } = await signInWithCode(app, alice);
    const { status, body, text } = await app.request('GET', '/v1/users/me/export', { token });
    expect([status, body.totp]).toEqual([200, { inUseSince: expect.any(String) }]);
    // With: recovery-codes.
    expect(body.recoveryCodes).toEqual({ left: 10, createdAt: expect.any(String) });
    const events = JSON.stringify(await app.sql('SELECT * FROM audit_events'));
    for (const secret of [alice.secret, ...alice.recoveryCodes])
      for (const place of [text, events, app.logText()]) expect(place).not.toContain(secret);
  });
});
