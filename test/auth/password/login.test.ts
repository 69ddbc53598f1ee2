import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signIn, signUp, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { SampleFactorModule } from '../../support/sample/sample-factor.module.js';
import { enrolFactor } from '../../support/second-factors.js';
import { visible } from '../visible.js';

describe('login by password (ASVS V6, OWASP API2)', () => {
  let app: TestApp;
  let alice: Actor;

  beforeAll(async () => {
    app = await startApp();
    alice = await signUp(app, 'alice');
  });
  afterAll(() => app.close());

  const login = (email: string, password: string) =>
    app.request('POST', '/v1/auth/login', { body: { email, password } });

  it('an honest user signs in, however the address is written', async () => {
    const { status, body } = await login(` ${alice.email.toUpperCase()} `, alice.password);
    expect(status).toBe(200);
    expect(body).toEqual({
      accessToken: expect.any(String),
      tokenType: 'Bearer',
      expiresInSeconds: 300,
      refreshToken: expect.any(String),
      secondFactors: [],
      deviceToken: expect.any(String),
    });
    await app.auditEvent('authn_login_success', ({ actor_id }) => actor_id === alice.userId);
  });

  it('asks for an unknown and a known address: the same 401 [A2-2] [ASVS 6.3.8]', async () => {
    const unknown = await login('nobody@example.org', 'wrong horse battery');
    expect(visible(unknown)).toEqual(visible(await login(alice.email, 'wrong horse battery')));
    expect(unknown.status).toBe(401);
  });

  it('is refused, and the audit trail has the reason and the user id, never what was typed [ASVS 16.2.5]', async () => {
    await login(alice.email, 'a secret typing error');
    const event = await app.auditEvent('authn_login_fail', ({ target_id }) => target_id === alice.userId);
    expect(event).toMatchObject({ outcome: 'denied', details: { reason: 'password' } });
    const trail = JSON.stringify(await app.sql('SELECT * FROM audit_events'));
    for (const secret of [alice.email, alice.password, 'a secret typing error']) expect(trail).not.toContain(secret);
  });

  it.each([
    ['upper case', (password: string) => password.toUpperCase()],
    ['a space at the end', (password: string) => `${password} `],
    ['a NUL and more at the end', (password: string) => `${password}\0x`],
    ['the last character cut', (password: string) => password.slice(0, -1)],
  ])('sends the password with %s: 401, it counts byte for byte [ASVS 6.2.8]', async (_, change) =>
    expect((await login(alice.email, change(alice.password))).status).toBe(401),
  );

  it.each([{ role: 'admin' }, { userId: 'x' }, { isAdmin: true }, { methods: ['otp'] }])(
    'sends %o beside the credential: 400, no session [A3-1] [ASVS 15.3.3]',
    async (extra) => {
      const before = await app.sql('SELECT id FROM sessions');
      const answer = await app.request('POST', '/v1/auth/login', {
        body: { email: alice.email, password: alice.password, ...extra },
      });
      expect(answer.status).toBe(400);
      expect(await app.sql('SELECT id FROM sessions')).toHaveLength(before.length);
    },
  );

  it.each([{ email: { contains: '@' } }, { email: ['a@example.org'] }, { password: { $ne: '' } }, { password: null }])(
    'sends %o instead of text: 422 [ASVS 1.2.4]',
    async (part) => {
      const answer = await app.request('POST', '/v1/auth/login', {
        body: { email: alice.email, password: alice.password, ...part },
      });
      expect(answer.status).toBe(422);
    },
  );

  it('copies a known password hash into the row of another user: no login [ASVS 11.3.3] [practice 7.3]', async () => {
    const mallory = await signUp(app, 'mallory');
    const victim = await signUp(app, 'victim');
    await app.sql(
      'UPDATE password_credentials SET hash = (SELECT hash FROM password_credentials WHERE user_id = $1) ' +
        'WHERE user_id = $2',
      [mallory.userId, victim.userId],
    );
    expect((await login(victim.email, mallory.password)).status).not.toBe(200);
    expect(await app.sql('SELECT id FROM sessions WHERE user_id = $1', [victim.userId])).toHaveLength(1);
  });
});

describe('the token of a known device', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startApp({ modules: [SampleFactorModule] });
  });
  afterAll(() => app.close());

  const tokenFor = async ({ email, password }: Actor, deviceToken?: string): Promise<unknown> =>
    (await app.request('POST', '/v1/auth/login', { body: { email, password, deviceToken } })).body.deviceToken;

  it('has the password without the factor, and collects tokens: none is given [A2-6]', async () => {
    const alice = await signUp(app, 'alice');
    const before = (await tokenFor(alice)) as string;
    await enrolFactor(app, alice);
    expect(await tokenFor(alice)).toBeNull();
    expect(await tokenFor(alice, before)).toBe(before);
  });

  // The last one moves the clock.
  it('keeps a token for more than 90 days: it counts as none [A2-1]', async () => {
    const bob = await signUp(app, 'bob');
    const token = (await tokenFor(bob)) as string;
    app.clock.advance(89 * 24 * 60 * 60);
    expect(await tokenFor(bob, token)).toBe(token);
    app.clock.advance(2 * 24 * 60 * 60);
    expect(await tokenFor(bob, token)).not.toBe(token);
  });
});

describe('stored passwords (ASVS V11.4)', () => {
  it('several devices sign in right after the parameters rose [practice 7.2] [ASVS 11.4.2]', async () => {
    const app = await startApp({ env: { ARGON2_PASSES: '2' } });
    const alice = await signUp(app, 'alice');
    const stored = async () => (await app.sql<{ hash: string }>('SELECT hash FROM password_credentials'))[0]?.hash;
    const before = await stored();
    await app.restart({ env: { ARGON2_PASSES: '3' } });
    const login = (index: number) =>
      app.on(index).request('POST', '/v1/auth/login', { body: { email: alice.email, password: alice.password } });
    const answers = await Promise.all([0, 1, 2, 3].map(login));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(await stored()).not.toBe(before);
    await app.close();
  });

  it('a login under raised parameters hashes anew [practice 7.2] [ASVS 11.4.2]', async () => {
    const app = await startApp({ instances: 1, env: { ARGON2_MEMORY_KIB: '19456' } });
    const alice = await signUp(app, 'alice');
    const stored = async () => (await app.sql<{ hash: string }>('SELECT hash FROM password_credentials'))[0]?.hash;
    const before = await stored();
    await signIn(app, alice);
    expect(await stored()).toBe(before);
    await app.restart({ env: { ARGON2_MEMORY_KIB: '20480' } });
    await signIn(app, alice);
    expect(await stored()).not.toBe(before);
    await signIn(app, alice);
    await app.close();
  });
});
