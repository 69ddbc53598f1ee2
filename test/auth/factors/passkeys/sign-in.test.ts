import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signIn, signUp, type Actor } from '../../../support/actors.js';
import { startApp, type TestApp } from '../../../support/app.js';
import type { Authenticator, Lies } from '../../../support/authenticator.js';
import { visible } from '../../visible.js';
import {
  device,
  passkeys,
  refusal,
  refusalOf,
  register,
  registrationOptions,
  rowOf,
  signInOptions,
  trySignIn,
} from './ceremonies.js';

let app: TestApp;
let alice: Actor;
let mallory: Actor;
let laptop: Authenticator;
let passkeyId: string;

beforeAll(async () => {
  app = await startApp();
  [alice, mallory] = await Promise.all([signUp(app, 'alice'), signUp(app, 'mallory')]);
  ({ authenticator: laptop, id: passkeyId } = await register(app, alice));
});
afterAll(() => app.close());

const sessionsOf = async ({ userId }: Actor) =>
  (await app.sql('SELECT id FROM sessions WHERE user_id = $1', [userId])).length;
const post = (credential: unknown, index = 0) =>
  app.on(index).request('POST', `${passkeys}/sign-in`, { body: { credential } });

describe('sign-in by passkey (WebAuthn Level 3 s7.2) [practice 2.5] [ASVS 6.3.3]', () => {
  it('an honest person signs in without a user name: a whole session, fresh for step-up', async () => {
    const { status, body } = await trySignIn(app, laptop);
    expect([status, body.secondFactors, typeof body.refreshToken]).toEqual([200, [], 'string']);
    const claims = JSON.parse(Buffer.from(body.accessToken.split('.')[1], 'base64url').toString());
    expect(claims).toMatchObject({ sub: alice.userId, amr: ['hwk', 'user'], acr: 'aal2' });
    expect((await app.request('GET', '/v1/users/me/export', { token: body.accessToken })).status).toBe(200);
    expect((await rowOf(app, passkeyId))?.['last_used_at']).not.toBeNull();
  });

  it('after the password the passkey is due, and signing in by it ends that half [A2-6]', async () => {
    const { body: half } = await app.request('POST', '/v1/auth/login', {
      body: { email: alice.email, password: alice.password },
    });
    expect([half.refreshToken, half.secondFactors]).toEqual([null, expect.arrayContaining(['passkey'])]);
    expect((await app.request('GET', passkeys, { token: half.accessToken })).body.type).toBe(
      '/problems/second-factor-required',
    );
    const credential = laptop.get(await signInOptions(app));
    const { status, body } = await app.request('POST', `${passkeys}/sign-in`, {
      token: half.accessToken,
      body: { credential },
    });
    expect([status, body.secondFactors]).toEqual([200, []]);
    expect((await app.request('POST', '/v1/auth/logout', { token: half.accessToken })).status).toBe(401);
  });

  it('the options are the same for everybody but for the challenge [ASVS 6.3.8]', async () => {
    const [first, second] = [
      await app.request('POST', `${passkeys}/sign-in-options`),
      await app.request('POST', `${passkeys}/sign-in-options`, { token: mallory.token }),
    ];
    expect(Object.keys(first.body).toSorted()).toEqual(['challenge', 'rpId', 'timeout', 'userVerification']);
    expect({ ...second.body, challenge: '' }).toEqual({ ...first.body, challenge: '' });
    expect(first.body.userVerification).toBe('required');
  });

  it('no two challenges are the same, and each has 256 bits; the table has their MACs only [ASVS 6.7.2]', async () => {
    const challenges = [];
    for (let index = 0; index < 20; index++) challenges.push((await signInOptions(app)).challenge as string);
    expect(new Set(challenges).size).toBe(20);
    for (const challenge of challenges) expect(Buffer.from(challenge, 'base64url')).toHaveLength(16 + 32);
    const stored = JSON.stringify(await app.sql('SELECT * FROM one_time_tokens'));
    expect(challenges.filter((challenge) => stored.includes(challenge))).toEqual([]);
  });
});

describe('forged sign-ins: one and the same 401, and no session [ASVS 6.3.8] [ASVS 6.7.2]', () => {
  const lies: Readonly<Record<string, readonly [Lies | (() => Lies | Promise<Lies>), string]>> = {
    'was never verified by the device (no PIN, no finger)': [{ userVerified: false }, 'assertion'],
    'was not there (no touch)': [{ userPresent: false }, 'assertion'],
    'signed for another domain': [{ rpId: 'evil.example' }, 'assertion'],
    'signed on a phishing page': [{ origin: 'https://login.evil.example' }, 'assertion'],
    'signed on the same host, another port': [{ origin: 'https://localhost:1' }, 'assertion'],
    'signed over plain HTTP': [() => ({ origin: laptop.origin.replace('https', 'http') }), 'assertion'],
    'signed in a frame of another site': [{ crossOrigin: true }, 'challenge'],
    'signed a challenge of its own making': [{ challenge: randomBytes(32).toString('base64url') }, 'challenge'],
    'signed a challenge of a registration': [
      async () => ({ challenge: (await registrationOptions(app, await freshToken(mallory))).challenge }),
      'challenge',
    ],
    'signed a registration': [{ type: 'webauthn.create' }, 'assertion'],
    'turns a bit of the signature': [{ flipSignature: true }, 'assertion'],
    'names a passkey that does not exist': [{ id: randomBytes(32).toString('base64url') }, 'unknown'],
    'names another user as the owner': [
      () => ({ userHandle: Buffer.from(mallory.userId.replaceAll('-', ''), 'hex').toString('base64url') }),
      'user-handle',
    ],
  };

  const freshToken = async (actor: Actor) => (await signIn(app, actor)).token;

  for (const [name, [lie, reason]] of Object.entries(lies)) {
    it(`somebody ${name}`, async () => {
      const before = await sessionsOf(alice);
      const answer = await trySignIn(app, laptop, typeof lie === 'function' ? await lie() : lie);
      expect(refusalOf(answer)).toEqual(refusal);
      expect(await sessionsOf(alice)).toBe(before);
      const event = await app.auditEvent(
        'authn_login_fail',
        ({ details }) => (details as { reason?: string }).reason === reason,
      );
      expect(event).toMatchObject({ outcome: 'denied', details: { method: 'passkey', reason } });
    });
  }

  it("somebody signs with a passkey of their own under the name of a victim's", async () => {
    const { authenticator } = await register(app, { token: await freshToken(mallory) });
    const userHandle = Buffer.from(alice.userId.replaceAll('-', ''), 'hex').toString('base64url');
    expect(refusalOf(await trySignIn(app, authenticator, { id: laptop.id, userHandle }))).toEqual(refusal);
  });

  it('an unknown passkey and a wrong signature: nothing in the answers tells them apart', async () => {
    const unknown = await trySignIn(app, laptop, { id: randomBytes(32).toString('base64url') });
    expect(visible(unknown)).toEqual(visible(await trySignIn(app, laptop, { flipSignature: true })));
  });

  it('a disabled user signs: the same 401, and the audit trail knows why', async () => {
    const bob = await signUp(app, 'bob');
    const { authenticator } = await register(app, bob);
    await app.operate(`UPDATE users SET status = 'disabled' WHERE id = $1`, [bob.userId]);
    expect(refusalOf(await trySignIn(app, authenticator))).toEqual(refusal);
    await app.auditEvent(
      'authn_login_fail',
      ({ target_id, details }) => target_id === bob.userId && (details as { reason: string }).reason === 'disabled',
    );
  });

  it.each<[string, Record<string, unknown>]>([
    ["a list for the credential's response", { response: [] }],
    ['a text for it', { response: 'x' }],
    ['a member that nobody knows in it', { response: { extra: 1 } }],
    ['no user handle', { response: { userHandle: undefined } }],
    ['base64 with padding', { response: { signature: 'AAA=' } }],
    ['another type', { type: 'password' }],
    ['a role beside it', { role: 'admin' }],
  ])('sends %s: 400 or 422, never 500, no session [ASVS 2.2.1] [ASVS 15.3.3]', async (_, change) => {
    const credential = laptop.get(await signInOptions(app));
    const nested = change['response'];
    const response =
      typeof nested === 'object' && !Array.isArray(nested)
        ? { ...credential.response, ...nested }
        : (nested ?? credential.response);
    const before = await sessionsOf(alice);
    expect([400, 422]).toContain((await post({ ...credential, ...change, response })).status);
    expect(await sessionsOf(alice)).toBe(before);
  });

  it.each(['bm90IEpTT04', 'bnVsbA', 'W10', 'eyJjaGFsbGVuZ2UiOnt9fQ'])(
    'sends %s as client data: the same 401',
    async (clientDataJSON) => {
      const credential = laptop.get(await signInOptions(app));
      expect(refusalOf(await post({ ...credential, response: { ...credential.response, clientDataJSON } }))).toEqual(
        refusal,
      );
    },
  );
});

describe('a challenge counts once [ASVS 6.7.2] [A2-6]', () => {
  it('the same answer is sent again: 401', async () => {
    const credential = laptop.get(await signInOptions(app));
    expect((await post(credential)).status).toBe(200);
    expect(refusalOf(await post(credential))).toEqual(refusal);
  });

  it('20 at once on two instances send the same answer: one gets in', async () => {
    const before = await sessionsOf(alice);
    const credential = laptop.get(await signInOptions(app));
    const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => post(credential, index)));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, ...Array.from({ length: 19 }, () => 401)]);
    expect(await sessionsOf(alice)).toBe(before + 1);
  });

  it('a failed attempt has used it up: the right answer comes too late', async () => {
    const options = await signInOptions(app);
    expect((await post(laptop.get(options, { flipSignature: true }))).status).toBe(401);
    expect((await post(laptop.get(options))).status).toBe(401);
  });

  it('the answer comes after five minutes: 401; and what has expired is swept', async () => {
    const credential = laptop.get(await signInOptions(app));
    app.clock.advance(5 * 60 + 1);
    expect(refusalOf(await post(credential))).toEqual(refusal);
    await signInOptions(app);
    expect(await app.sql('SELECT id FROM one_time_tokens WHERE expires_at <= $1', [app.clock.now()])).toEqual([]);
  });
});

describe('the signature counter (WebAuthn Level 3 s6.1.1)', () => {
  const events = async ({ userId }: Actor) =>
    app.sql(
      `SELECT id FROM audit_events WHERE action = 'authn_factor_fail' AND target_id = $1 AND details->>'reason' ` +
        `= 'counter'`,
      [userId],
    );

  it('a copy of the key signs with a count that was there before: 401, and recorded', async () => {
    expect((await trySignIn(app, laptop, { counter: 1000 })).status).toBe(200);
    const before = (await events(alice)).length;
    for (const counter of [1000, 999, 1, 0])
      expect(refusalOf(await trySignIn(app, laptop, { counter }))).toEqual(refusal);
    expect((await rowOf(app, passkeyId))?.['counter']).toBe('1000');
    await expect.poll(async () => (await events(alice)).length).toBe(before + 4);
    // With: notices.
    expect((await app.mailTo(alice.email, 'A second factor was refused')).text).toContain('a copy of a passkey');
    expect((await trySignIn(app, laptop, { counter: 1001 })).status).toBe(200);
  });

  it('two copies sign with the same count at once, each a challenge of its own: one gets in', async () => {
    const options = await Promise.all(Array.from({ length: 6 }, () => signInOptions(app)));
    const answers = await Promise.all(
      options.map((option, index) => post(laptop.get(option, { counter: 2000 }), index)),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 401, 401, 401, 401, 401]);
  });

  it('a passkey of a password manager, which always says 0, stays usable', async () => {
    const { authenticator } = await register(app, await signUp(app, 'carol'), device(app, true));
    for (let index = 0; index < 3; index++) expect((await trySignIn(app, authenticator)).status).toBe(200);
  });
});
