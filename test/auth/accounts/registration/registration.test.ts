import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { PasswordsService } from '../../../../src/auth/password/passwords.service.js';
import { mailedToken, signIn, signUp } from '../../../support/actors.js';
import { startApp, type TestApp } from '../../../support/app.js';
import { publicUrl } from '../../forge.js';
import { visible } from '../../visible.js';

const password = 'a long enough phrase';
const newAddress = () => `someone.${randomBytes(6).toString('hex')}@example.org`;

describe('registration (ASVS V6.3, V6.4; pre-hijacking)', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startApp();
  });
  afterAll(() => app.close());

  const register = (email: string, extra: object = {}, headers: Record<string, string> = {}) =>
    app.request('POST', '/v1/auth/register', { body: { email, ...extra }, headers });
  const verify = (token: string, chosen = password, extra: object = {}, instance = 0) =>
    app
      .on(instance)
      .request('POST', '/v1/auth/email/verify', { body: { token, password: chosen, name: 'Somebody', ...extra } });
  const mailsTo = (email: string) => app.outbox().filter(({ to }) => to === email);
  const usersOf = async () => Number((await app.sql<{ count: string }>('SELECT count(*) FROM users'))[0]?.count);

  it('an honest person registers, verifies and signs in; verifying alone signs nobody in [ASVS 6.3.6]', async () => {
    const email = newAddress();
    expect((await register(email)).status).toBe(202);
    const verified = await verify(await mailedToken(app, email));
    expect(verified).toMatchObject({ status: 201, body: { id: expect.any(String) } });
    expect(Object.keys(verified.body)).toEqual(['id']);
    expect(await app.sql('SELECT id FROM sessions WHERE user_id = $1', [verified.body.id])).toEqual([]);
    await signIn(app, { email, password });
    await app.auditEvent('user_created', ({ actor_id }) => actor_id === verified.body.id);
  });

  it('registers an address that has an account: only its owner learns it [A2-2] [ASVS 6.3.8]', async () => {
    const alice = await signUp(app, 'alice');
    const unknown = newAddress();
    // The limit per address counts both alike, so both get a second request.
    await register(unknown);
    expect(visible(await register(alice.email))).toEqual(visible(await register(unknown)));
    const mail = await app.mailTo(alice.email, 'You already have an account');
    expect(mail.text).not.toMatch(/[A-Za-z0-9_-]{40,}/);
    await signIn(app, alice);
  });

  it('takes an address before its owner comes: the attacker never has the password [practice 2.5]', async () => {
    const email = newAddress();
    expect((await register(email, { password: 'the password of mallory' })).status).toBe(400);
    await register(email);
    expect(
      (await app.request('POST', '/v1/auth/login', { body: { email, password: 'the password of mallory' } })).status,
    ).toBe(401);
    await register(email);
    await app.mailQuiet();
    const { body } = await verify(await mailedToken(app, email));
    const { token } = await signIn(app, { email, password });
    expect((await app.request('GET', '/v1/users/me', { token })).body).toMatchObject({ id: body.id });
  });

  it("registers the address of a victim again, with a name: the owner's stands [practice 2.5]", async () => {
    const email = newAddress();
    await register(email);
    const refused = await register(email, { name: 'Win at https://evil.example' });
    expect(refused).toMatchObject({ status: 400, body: { errors: [{ pointer: '/name', code: 'unknown-field' }] } });
    await register(email);
    await app.mailQuiet();
    expect(mailsTo(email)).toHaveLength(2);
    for (const { text } of mailsTo(email)) expect(text).not.toContain('evil.example');
    expect((await verify(await mailedToken(app, email), password, { name: 'Victim' })).status).toBe(201);
    const { token } = await signIn(app, { email, password });
    expect((await app.request('GET', '/v1/users/me', { token })).body).toMatchObject({ email, name: 'Victim' });
  });

  it.each(['"alice"@example.org', '"a b"@example.org'])(
    'registers %s, to which no mail can go: 422, nothing is queued, no error in the log',
    async (email) => {
      const log = app.logText().length;
      expect(await register(email)).toMatchObject({
        status: 422,
        body: { errors: [{ pointer: '/email', code: 'not-an-email-address' }] },
      });
      await app.mailQuiet();
      expect([mailsTo(email), app.logText().slice(log).includes('"log.level":"error"')]).toEqual([[], false]);
    },
  );

  it('chooses no name, an empty one, or one that is no text: 422, and the token is still good', async () => {
    const email = newAddress();
    await register(email);
    const token = await mailedToken(app, email);
    for (const name of [undefined, ' ', 'Eve\r\nBcc: victim@example.org', ['Eve'], 'x'.repeat(101)]) {
      expect(await verify(token, password, { name })).toMatchObject({
        status: 422,
        body: { errors: [{ pointer: '/name' }] },
      });
    }
    expect((await verify(token)).status).toBe(201);
  });

  it('uses the token twice: 400, one user [A2-5] [ASVS 6.4.1]', async () => {
    const email = newAddress();
    await register(email);
    const token = await mailedToken(app, email);
    expect((await verify(token)).status).toBe(201);
    const again = await verify(token, 'another long password');
    expect(again).toMatchObject({ status: 400, body: { errors: [{ pointer: '/token', code: 'unusable-token' }] } });
    await app.auditEvent('authn_token_fail', ({ details }) => (details as { flow?: string }).flow === 'registration');
    expect(
      (await app.request('POST', '/v1/auth/login', { body: { email, password: 'another long password' } })).status,
    ).toBe(401);
  });

  it('uses the token 50 times in parallel on all instances: one user, one password [ASVS 15.4.2]', async () => {
    const email = newAddress();
    await register(email);
    const token = await mailedToken(app, email);
    const before = await usersOf();
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) => verify(token, `${password} ${index}`, {}, index)),
    );
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 201)).toHaveLength(1);
    // 503: more passwords at once than the hashing gate lets in.
    expect(statuses.every((status) => [201, 400, 503].includes(status))).toBe(true);
    expect(await usersOf()).toBe(before + 1);
    await signIn(app, { email, password: `${password} ${statuses.indexOf(201)}` });
  });

  it('uses an older token after a newer request: 400, the newer works [A2-5] [ASVS 6.6.2]', async () => {
    const email = newAddress();
    await register(email);
    const older = await mailedToken(app, email);
    await register(email);
    await expect.poll(() => mailedToken(app, email)).not.toBe(older);
    const newer = await mailedToken(app, email);
    expect((await verify(older)).status).toBe(400);
    expect((await verify(newer)).status).toBe(201);
  });

  it('uses an older token while a newer one is asked for: the newer works [A2-5] [ASVS 6.6.2]', async () => {
    const email = newAddress();
    await register(email);
    const older = await mailedToken(app, email);
    // After the token was looked at, and before it is used up.
    const passwords = app.on(0).service.app.get(PasswordsService, { strict: false });
    const hashNew = passwords.hashNew.bind(passwords);
    vi.spyOn(passwords, 'hashNew').mockImplementationOnce(async (...chosen) => {
      expect((await app.request('POST', '/v1/auth/email/resend', { body: { email } })).status).toBe(202);
      return hashNew(...chosen);
    });
    const before = await usersOf();
    expect((await verify(older)).status).toBe(400);
    expect(await usersOf()).toBe(before);
    await expect.poll(() => mailedToken(app, email)).not.toBe(older);
    expect((await verify(await mailedToken(app, email))).status).toBe(201);
  });

  it('guesses a token, or sends one of another kind: 400 [A2-5]', async () => {
    const alice = await signUp(app, 'alice');
    for (const token of [randomBytes(32).toString('hex'), 'x', alice.token.slice(0, 90)]) {
      expect(await verify(token)).toMatchObject({ status: 400, body: { errors: [{ code: 'unusable-token' }] } });
    }
  });

  it('moves the MAC of a token of theirs to the registration of a victim: 400 [A2-5]', async () => {
    const [mine, victims] = [newAddress(), newAddress()];
    await register(mine);
    const token = await mailedToken(app, mine);
    const [row] = await app.sql<{ id: string; token_mac: string }>(
      'SELECT id, token_mac FROM one_time_tokens ORDER BY created_at DESC LIMIT 1',
    );
    await app.sql('DELETE FROM one_time_tokens WHERE id = $1', [row?.id]);
    await register(victims);
    await app.sql(
      'UPDATE one_time_tokens SET id = $1, token_mac = $2 ' +
        'WHERE created_at = (SELECT max(created_at) FROM one_time_tokens)',
      [row?.id, row?.token_mac],
    );
    expect((await verify(token)).status).not.toBe(201);
    expect((await app.request('POST', '/v1/auth/login', { body: { email: victims, password } })).status).toBe(401);
  });

  it('asks for another mail: the older token dies, the newer works [A2-2] [ASVS 6.6.2]', async () => {
    const alice = await signUp(app, 'alice');
    const [open, unknown] = [newAddress(), newAddress()];
    await register(open);
    const older = await mailedToken(app, open);
    const answers = await Promise.all(
      [open, unknown, alice.email].map((email) => app.request('POST', '/v1/auth/email/resend', { body: { email } })),
    );
    expect(new Set(answers.map((answer) => JSON.stringify(visible(answer)))).size).toBe(1);
    expect(answers[0]?.status).toBe(202);
    await app.mailQuiet();
    expect([mailsTo(unknown).at(-1)?.subject, mailsTo(alice.email).at(-1)?.subject]).toEqual([
      'No registration is open',
      'You already have an account',
    ]);
    const newer = await mailedToken(app, open);
    expect([(await verify(older)).status, (await verify(newer)).status]).toEqual([400, 201]);
  });

  it('chooses a bad password: 422, and the token is still good [ASVS 6.2.1] [ASVS 6.2.4]', async () => {
    const email = newAddress();
    await register(email);
    const token = await mailedToken(app, email);
    for (const bad of ['fourteen chars', 'passwordpassword', `${email.split('@')[0]} again`, 'x'.repeat(257)]) {
      expect(await verify(token, bad)).toMatchObject({ status: 422, body: { errors: [{ pointer: '/password' }] } });
    }
    expect((await verify(token, 'ärger mit 😀 & leerzeichen '.repeat(4))).status).toBe(201);
  });

  it('forges Host and X-Forwarded-Host: the mail names the configured address only [A2-5]', async () => {
    const email = newAddress();
    await register(email, {}, { 'x-forwarded-host': 'evil.example', 'forwarded': 'host=evil.example' });
    await app.request('POST', '/v1/auth/register', { body: { email }, headers: { host: 'evil.example' } });
    await mailedToken(app, email);
    await app.mailQuiet();
    for (const { text } of mailsTo(email)) {
      expect(text).not.toContain('evil.example');
      expect(text).toContain(`${publicUrl(app)}/v1/auth/email/verify`);
    }
  });

  it('the mailed token stands in no URL [ASVS 14.2.1]', async () => {
    const email = newAddress();
    await register(email);
    const token = await mailedToken(app, email);
    expect(mailsTo(email)[0]?.text.split(/\r?\n/)).toContain(token);
  });

  it.each([
    { id: '0190a5d0-0000-7000-8000-000000000000' },
    { roles: ['admin'] },
    { role: 'admin' },
    { status: 'active' },
    { emailVerified: true },
  ])('sends %o at register and verify: 400 [A3-1] [ASVS 15.3.3]', async (extra) => {
    const email = newAddress();
    expect((await register(email, extra)).status).toBe(400);
    await register(email);
    expect((await verify(await mailedToken(app, email), password, extra)).status).toBe(400);
  });

  it('reads the tables: no address, no token in clear [practice 7.3]', async () => {
    const email = newAddress();
    await register(email);
    const token = await mailedToken(app, email);
    const rows = JSON.stringify(await app.sql('SELECT * FROM one_time_tokens'));
    for (const secret of [email, token]) expect(rows).not.toContain(secret);
  });

  it('registers an address over and over: one row, and one data key that stays [practice 7.3]', async () => {
    const email = newAddress();
    const before = await keysOf();
    for (let count = 0; count < 3; count++) await register(email);
    expect(await keysOf()).toBe(before + 1);
    await app.mailQuiet();
    expect(mailsTo(email)).toHaveLength(3);
    const { body } = await verify(await mailedToken(app, email));
    expect(await app.sql(`SELECT state FROM data_keys WHERE subject = $1`, [body.id])).toEqual([{ state: 'active' }]);
    const { token } = await signIn(app, { email, password });
    expect((await app.request('GET', '/v1/users/me', { token })).body).toMatchObject({ email });
  });

  // The last two move the clock.
  it('uses the token after thirty minutes: 400, the next registration sweeps it away [ASVS 6.4.1]', async () => {
    const email = newAddress();
    await register(email);
    const token = await mailedToken(app, email);
    app.clock.advance(30 * 60);
    expect((await verify(token)).status).toBe(400);
    await register(newAddress());
    expect(await app.sql('SELECT id FROM one_time_tokens WHERE expires_at <= $1', [app.clock.now()])).toEqual([]);
  });

  it('a stranger registers hundreds of addresses: their rows and data keys go [practice 7.3]', async () => {
    const rows = async () =>
      Number((await app.sql<{ count: string }>('SELECT count(*) FROM one_time_tokens'))[0]?.count);
    app.clock.advance(30 * 60);
    await register(newAddress());
    const before = await keysOf();
    await leaveBehind(120);
    expect([await rows(), await keysOf()]).toEqual([121, before + 120]);
    for (const left of [71, 22, 3]) {
      await register(newAddress());
      expect([await rows(), (await keysOf()) - before + 1]).toEqual([left + 1, left + 1]);
    }
  });

  const keysOf = async () => Number((await app.sql<{ count: string }>('SELECT count(*) FROM data_keys'))[0]?.count);

  /**
   * Expired registrations with keys of their own, as the service leaves them: made by SQL, because it would take
   * minutes.
   */
  const leaveBehind = (count: number) =>
    app.sql(
      `WITH made AS (INSERT INTO one_time_tokens (id, purpose, payload, token_mac, expires_at)
         SELECT ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, purpose, payload, token_mac, 'epoch'
         FROM generate_series(1, $1) n, (SELECT * FROM one_time_tokens LIMIT 1) one RETURNING id)
       INSERT INTO data_keys (id, purpose, subject, wrapper, wrapping_key, wrapped)
         SELECT id, 'pii', id::text, 'local', 'x', 'x' FROM made`,
      [count],
    );
});
