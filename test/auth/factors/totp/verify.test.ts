import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { signUp } from '../../../support/actors.js';
import { startApp, type TestApp } from '../../../support/app.js';
import { halfSignIn, halfSignIns } from '../../../support/second-factors.js';
import { enrolTotp, nextCode, prove, signInWithCode, wrongCode, type ActorWithApp } from './app.js';
import { totpCode } from '../../../support/totp.js';
import { unlimited } from '../../../support/unlimited.js';
import { decode } from '../../forge.js';
import { visible } from '../../visible.js';

describe('codes of an authenticator app as second factor (RFC 6238) [practice 2.5] [ASVS 6.3.3]', () => {
  let app: TestApp;
  let alice: ActorWithApp;

  beforeAll(async () => {
    // The limits have a test of their own; here one person proves more often than they allow.
    unlimited();
    app = await startApp();
    alice = await enrolTotp(app, await signUp(app, 'alice'));
  });
  afterAll(async () => {
    vi.restoreAllMocks();
    await app.close();
  });

  const me = async (token: string) => (await app.request('GET', '/v1/users/me', { token })).status;
  const at = (seconds: number) => totpCode(alice.secret, new Date(app.clock.now().getTime() + seconds * 1000));
  const sessionsOf = ({ userId }: ActorWithApp) =>
    app.sql('SELECT id FROM sessions WHERE user_id = $1 AND ended_at IS NULL AND NOT factor_due', [userId]);

  it('an honest person: after the password the factor is named, after the code all opens', async () => {
    const { body } = await app.request('POST', '/v1/auth/login', {
      body: { email: alice.email, password: alice.password },
    });
    const due = [
      'totp',
      // With: recovery-codes.
      'recovery-code',
    ];
    expect(body).toMatchObject({ refreshToken: null, secondFactors: due });
    expect(await me(body.accessToken)).toBe(401);
    const proven = await prove(app, body.accessToken, nextCode(app, alice.secret));
    expect(proven).toMatchObject({ status: 200, body: { refreshToken: expect.any(String), secondFactors: [] } });
    expect(decode(proven.body.accessToken).payload).toMatchObject({ sub: alice.userId, amr: ['pwd', 'otp'] });
    expect(await me(proven.body.accessToken)).toBe(200);
    expect(await prove(app, body.accessToken, nextCode(app, alice.secret))).toMatchObject({ status: 401 });
    const refreshed = await app.request('POST', '/v1/auth/refresh', {
      body: { refreshToken: proven.body.refreshToken },
    });
    expect(refreshed).toMatchObject({ status: 200, body: { secondFactors: [] } });
  });

  it('the device is known after the code only; signing in there again tells nobody [A2-1]', async () => {
    const login = (deviceToken?: string) =>
      app.request('POST', '/v1/auth/login', { body: { email: alice.email, password: alice.password, deviceToken } });
    const first = await login();
    expect(first.body.deviceToken).toBeNull();
    const proven = await prove(app, first.body.accessToken, nextCode(app, alice.secret));
    const told = () =>
      app.sql(`SELECT id FROM audit_events WHERE action = 'authn_new_device' AND actor_id = $1`, [alice.userId]);
    const before = await told();
    const again = await login(proven.body.deviceToken as string);
    expect([again.status, again.body.deviceToken]).toEqual([200, proven.body.deviceToken]);
    expect(await told()).toEqual(before);
  });

  it('replays a code that was used: 401, on every instance, and no session begins [A2-6] [ASVS 6.5.1]', async () => {
    const code = nextCode(app, alice.secret);
    expect((await prove(app, await halfSignIn(app, alice), code)).status).toBe(200);
    const before = await sessionsOf(alice);
    for (const index of app.instances.keys())
      expect((await prove(app, await halfSignIn(app, alice), code, index)).status).toBe(401);
    expect(await sessionsOf(alice)).toEqual(before);
    const fail = await app.auditEvent(
      'authn_factor_fail',
      (row) => row['target_id'] === alice.userId && (row['details'] as { reason: string }).reason === 'used',
    );
    expect(fail).toMatchObject({
      outcome: 'denied',
      target_type: 'user',
      actor_id: alice.userId,
      details: { factor: 'totp', reason: 'used' },
    });
  });

  it('sends one code 20 times at once from 20 half sessions: one success [A2-6] [ASVS 6.5.1]', async () => {
    const tokens = await halfSignIns(app, alice, 20);
    const before = await sessionsOf(alice);
    const code = nextCode(app, alice.secret);
    const answers = await Promise.all(tokens.map((token, index) => prove(app, token, code, index)));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, ...Array.from({ length: 19 }, () => 401)]);
    expect(await sessionsOf(alice)).toHaveLength(before.length + 1);
  });

  it('sends one code 20 times in parallel from one half session: one success [A2-6]', async () => {
    const token = await halfSignIn(app, alice);
    const code = nextCode(app, alice.secret);
    const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => prove(app, token, code, index)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  it('sends a code of 30 seconds ago: once; of a minute ago, or the next one: 401 [ASVS 6.5.5]', async () => {
    nextCode(app, alice.secret);
    app.clock.advance(60);
    const token = await halfSignIn(app, alice);
    for (const seconds of [-60, 30]) expect((await prove(app, token, at(seconds))).status).toBe(401);
    expect((await prove(app, token, at(-30))).status).toBe(200);
  });

  it('sends an older code that was never used after a newer one: 401 [ASVS 6.5.1]', async () => {
    nextCode(app, alice.secret);
    const newer = nextCode(app, alice.secret);
    const older = at(-30);
    expect((await prove(app, await halfSignIn(app, alice), newer)).status).toBe(200);
    expect((await prove(app, await halfSignIn(app, alice), older)).status).toBe(401);
  });

  it('tells the service another time, by Date or in the body: an old code stays old [ASVS 6.5.8]', async () => {
    const old = totpCode(alice.secret, app.clock.now());
    const date = app.clock.now().toUTCString();
    app.clock.advance(120);
    const token = await halfSignIn(app, alice);
    expect(
      (await app.request('POST', '/v1/auth/totp/verify', { token, headers: { date }, body: { code: old } })).status,
    ).toBe(401);
    const withTime = await app.request('POST', '/v1/auth/totp/verify', { token, body: { code: old, timestamp: date } });
    expect(withTime).toMatchObject({
      status: 400,
      body: { errors: [{ pointer: '/timestamp', code: 'unknown-field' }] },
    });
  });

  it('compares the answers to a wrong code, a used one, one of a gone app: the same 401 [A2-6]', async () => {
    const bob = await enrolTotp(app, await signUp(app, 'bob'));
    await signInWithCode(app, bob);
    const token = await halfSignIn(app, bob);
    const used = await prove(app, token, totpCode(bob.secret, app.clock.now()));
    const wrong = await prove(app, token, wrongCode(app, bob.secret));
    await app.sql('DELETE FROM totp_authenticators WHERE user_id = $1', [bob.userId]);
    const gone = await prove(app, token, nextCode(app, bob.secret));
    // What is left of the caller's own limit goes down with each request, whatever was wrong.
    const seen = [used, wrong, gone]
      .map(visible)
      .map((answer) => ({ ...answer, headers: { ...answer.headers, ratelimit: '' } }));
    expect(seen).toEqual([seen[0], seen[0], seen[0]]);
    expect(seen[0]).toMatchObject({ status: 401, headers: { 'www-authenticate': 'Bearer' } });
  });

  it.each(['12345', '1234567', '12345a', '１２３４５６', ' 123456', 123456, null, ['123456']])(
    'sends %j as a code: 422, and it is never looked at',
    async (code) => {
      const token = await halfSignIn(app, alice);
      expect((await app.request('POST', '/v1/auth/totp/verify', { token, body: { code } })).status).toBe(422);
    },
  );

  it('uses a code in a whole session to pass @StepUp(): 409, it is no fresher [ASVS 7.5.1]', async () => {
    const { token } = await signInWithCode(app, alice);
    app.clock.advance(200);
    expect((await prove(app, token, totpCode(alice.secret, app.clock.now()))).status).toBe(409);
    app.clock.advance(101);
    const { sid } = decode(token).payload;
    const [row] = await app.sql<{ age: number }>(
      'SELECT EXTRACT(epoch FROM $2::timestamptz - authenticated_at)::int AS age FROM sessions WHERE id = $1',
      [sid, app.clock.now()],
    );
    expect(row?.age).toBeGreaterThanOrEqual(300);
  });

  it.each([
    ['POST', '/v1/auth/totp'],
    ['POST', '/v1/auth/totp/confirm'],
    ['DELETE', '/v1/auth/totp'],
    // With: recovery-codes.
    ['POST', '/v1/auth/recovery-codes'],
    // With: recovery-codes.
    ['GET', '/v1/auth/recovery-codes'],
  ])(
    'knows the password only, and calls %s %s: 401 second-factor-required, nothing changes [A2-6] [ASVS 6.3.3]',
    async (method, path) => {
      const rows = async () => [
        await app.sql('SELECT * FROM totp_authenticators WHERE user_id = $1', [alice.userId]),
        // With: recovery-codes.
        await app.sql('SELECT * FROM recovery_codes WHERE user_id = $1 ORDER BY id', [alice.userId]),
      ];
      const before = await rows();
      const body = path.endsWith('confirm') ? { body: { code: nextCode(app, alice.secret) } } : {};
      const {
        status,
        body: problem,
        headers,
      } = await app.request(method, path, { token: await halfSignIn(app, alice), ...body });
      expect([status, problem.type]).toEqual([401, expect.stringContaining('second-factor-required')]);
      expect(headers['www-authenticate']).toContain('insufficient_user_authentication');
      expect(await rows()).toEqual(before);
    },
  );

  it('waits too long with the second factor: after ten minutes 401 with a right code [A2-6]', async () => {
    const token = await halfSignIn(app, alice);
    const { sid } = decode(token).payload;
    const [row] = await app.sql<{ expires_at: Date }>('SELECT expires_at FROM sessions WHERE id = $1', [sid]);
    const leftMs = Number(row?.expires_at) - app.clock.now().getTime();
    expect(leftMs).toBeLessThanOrEqual(600_000);
    expect(leftMs).toBeGreaterThan(590_000);
    // The access token ends after five minutes: so nine of the ten are taken away, and only the session is over when
    // they have gone by.
    await app.operate(`UPDATE sessions SET expires_at = expires_at - interval '9 minutes' WHERE id = $1`, [sid]);
    app.clock.advance(32);
    const code = nextCode(app, alice.secret);
    expect(decode(token).payload['exp']).toBeGreaterThan(app.clock.now().getTime() / 1000);
    expect((await prove(app, token, code)).status).toBe(401);
    expect((await prove(app, await halfSignIn(app, alice), code)).status).toBe(200);
  });
});
