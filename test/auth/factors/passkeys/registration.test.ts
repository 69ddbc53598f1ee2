import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signIn, signUp, type Actor } from '../../../support/actors.js';
import { startApp, type TestApp } from '../../../support/app.js';
import type { Lies } from '../../../support/authenticator.js';
import { device, passkeys, register, registrationOptions, rowOf, tryRegister, trySignIn } from './ceremonies.js';

let app: TestApp;
let alice: Actor;
let mallory: Actor;

beforeAll(async () => {
  app = await startApp();
  [alice, mallory] = await Promise.all([signUp(app, 'alice'), signUp(app, 'mallory')]);
});
afterAll(() => app.close());

const keysOf = async ({ userId }: Actor) =>
  (await app.sql('SELECT id FROM passkeys WHERE user_id = $1', [userId])).length;
const send = (token: string, credential: unknown, name = 'Blue laptop') =>
  app.request('POST', passkeys, { token, body: { name, credential } });

describe('registering a passkey (WebAuthn Level 3 s7.1) [practice 2.5] [ASVS 6.3.3]', () => {
  it('asks for a discoverable, user-verifying key, no attestation, no personal data', async () => {
    const options = await registrationOptions(app, alice.token);
    expect(options).toMatchObject({
      rp: { id: new URL(device(app).origin).hostname },
      user: { name: alice.email },
      attestation: 'none',
      authenticatorSelection: { residentKey: 'required', requireResidentKey: true, userVerification: 'required' },
    });
    expect(Buffer.from(options.user.id, 'base64url').toString('hex')).toBe(alice.userId.replaceAll('-', ''));
  });

  it('an honest person registers: key and name lie sealed, recovery codes are shown once', async () => {
    const anna = await signUp(app, 'anna');
    const { status, body } = await tryRegister(app, anna.token, device(app));
    expect([status, body.tokens]).toEqual([201, null]);
    // With: recovery-codes.
    expect(body.recoveryCodes).toHaveLength(10);
    expect(Object.keys(body.passkey).toSorted()).toEqual(['backedUp', 'createdAt', 'id', 'lastUsedAt', 'name']);
    const row = await rowOf(app, body.passkey.id);
    for (const column of ['public_key', 'name']) expect(row?.[column]).toMatch(/^enc:v1:/);
    const event = await app.auditEvent('authn_factor_added', ({ target_id }) => target_id === anna.userId);
    expect(event).toMatchObject({ outcome: 'success', actor_id: anna.userId, details: { factor: 'passkey' } });
    expect(JSON.stringify(event)).not.toContain('Blue laptop');
  });

  it('all other sessions end, the own one stays and has proved a key [ASVS 7.4.3]', async () => {
    const bob = await signUp(app, 'bob');
    const other = await signIn(app, bob);
    await register(app, bob);
    expect((await app.request('GET', '/v1/users/me', { token: other.token })).status).toBe(401);
    expect((await app.request('GET', '/v1/users/me', { token: bob.token })).status).toBe(200);
    const [session] = await app.sql<{ methods: string[] }>(
      'SELECT methods FROM sessions WHERE user_id = $1 AND ended_at IS NULL',
      [bob.userId],
    );
    expect(session?.methods).toEqual(['pwd', 'hwk']);
  });

  it('the browser is told which passkeys are there, so that it makes no second one on the same device', async () => {
    const carol = await signUp(app, 'carol');
    const { authenticator } = await register(app, carol);
    const { excludeCredentials } = await registrationOptions(app, carol.token);
    expect(excludeCredentials).toEqual([{ type: 'public-key', id: authenticator.id, transports: ['internal'] }]);
  });

  it('an attestation that the key made for itself, which some browsers leave in, is taken', async () => {
    const dora = await signUp(app, 'dora');
    expect((await tryRegister(app, dora.token, device(app), { selfAttested: true })).status).toBe(201);
  });
});

describe('forged registrations: 400, and no passkey [ASVS 6.7.2]', () => {
  const certificate = new Map<string, number | Buffer>([
    ['alg', -7],
    ['sig', Buffer.alloc(70)],
    ['x5c', Buffer.alloc(400)],
  ]);
  const lies: Readonly<Record<string, Lies | (() => Promise<Lies>)>> = {
    'a device that did not verify the person': { userVerified: false },
    'another domain': { rpId: 'evil.example' },
    'a phishing page': { origin: 'https://evil.example' },
    'a frame of another site': { crossOrigin: true },
    'a challenge of its own making': { challenge: randomBytes(32).toString('base64url') },
    'a challenge of another user': async () => ({
      challenge: (await registrationOptions(app, mallory.token)).challenge,
    }),
    'a challenge of a sign-in': async () => ({
      challenge: (await app.request('POST', `${passkeys}/sign-in-options`)).body.challenge,
    }),
    'a broken signature of the new key': {
      format: 'packed',
      statement: new Map<string, number | Buffer>([
        ['alg', -7],
        ['sig', Buffer.alloc(70)],
      ]),
    },
    'an assertion': { type: 'webauthn.get' },
    'an algorithm that was not offered': { algorithm: -65535 },
    'another credential id than the signed one': { id: randomBytes(32).toString('base64url') },
    'an attestation of Apple': { format: 'apple', statement: certificate },
    'an attestation of a TPM': { format: 'tpm', statement: certificate },
  };

  for (const [name, lie] of Object.entries(lies)) {
    it(`sends ${name}`, async () => {
      const answer = await tryRegister(app, alice.token, device(app), typeof lie === 'function' ? await lie() : lie);
      expect([answer.status, answer.body.type]).toEqual([400, '/problems/malformed-request']);
      expect(await keysOf(alice)).toBe(0);
    });
  }

  it('sends an attestation by a certificate of its own: refused unread [ASVS 1.3.6]', async () => {
    const authenticator = device(app);
    expect(
      (await tryRegister(app, alice.token, authenticator, { certificate: await authenticator.certificate() })).status,
    ).toBe(400);
    expect(await keysOf(alice)).toBe(0);
  });

  it('the same answer twice: the second finds no challenge', async () => {
    const erin = await signUp(app, 'erin');
    const credential = device(app).create(await registrationOptions(app, erin.token));
    expect((await send(erin.token, credential)).status).toBe(201);
    expect((await send(erin.token, credential)).status).toBe(400);
    expect(await keysOf(erin)).toBe(1);
  });

  it('a credential id that is registered already, also by somebody else: 409, and the owner keeps it', async () => {
    const frank = await signUp(app, 'frank');
    const { authenticator, id } = await register(app, frank);
    const credential = authenticator.create(await registrationOptions(app, mallory.token));
    expect((await send(mallory.token, credential)).status).toBe(409);
    expect((await rowOf(app, id))?.['user_id']).toBe(frank.userId);
    expect(await keysOf(mallory)).toBe(0);
  });

  it('the challenge of a fresh session is used by another session of the same person: 400 [ASVS 7.5.1]', async () => {
    const options = await registrationOptions(app, mallory.token);
    const stolen = await signIn(app, mallory);
    expect((await send(stolen.token, device(app).create(options))).status).toBe(400);
    expect(await keysOf(mallory)).toBe(0);
  });

  it('a stolen session that did not prove itself lately: 401 step-up-required [ASVS 7.5.1]', async () => {
    const gina = await signUp(app, 'gina');
    await app.operate(`UPDATE sessions SET authenticated_at = now() - interval '6 minutes' WHERE user_id = $1`, [
      gina.userId,
    ]);
    await app.restart();
    const { status, body } = await app.request('POST', `${passkeys}/registration-options`, { token: gina.token });
    expect([status, body.type]).toEqual([401, '/problems/step-up-required']);
  });

  it('a sign-in whose second factor is due enrols no further one: 401 [A2-6]', async () => {
    const hana = await signUp(app, 'hana');
    await register(app, hana);
    const { token: half } = await signIn(app, hana);
    for (const path of [`${passkeys}/registration-options`, passkeys]) {
      expect((await app.request('POST', path, { token: half, body: {} })).body.type).toBe(
        '/problems/second-factor-required',
      );
    }
    expect(await keysOf(hana)).toBe(1);
  });

  it('a credential id that is shorter than any authenticator makes it: 422, never 500 [ASVS 2.2.1]', async () => {
    const credential = device(app).create(await registrationOptions(app, alice.token));
    for (const id of ['AAAAAA', 'A'.repeat(21), 'A'.repeat(1365)])
      expect((await send(alice.token, { ...credential, id, rawId: id })).status).toBe(422);
    expect(await keysOf(alice)).toBe(0);
  });

  it('unknown transports are dropped, so that new kinds of devices can register; others refused', async () => {
    const lea = await signUp(app, 'lea');
    const credential = device(app).create(await registrationOptions(app, lea.token));
    const withTransports = (transports: unknown) => ({
      ...credential,
      response: { ...credential.response, transports },
    });
    for (const wrong of ['usb', [1], [['usb']], ['usb', 'usb'], null])
      expect((await send(lea.token, withTransports(wrong))).status).toBe(422);
    const { status, body } = await send(lea.token, withTransports(['usb', 'telepathy', 'x'.repeat(1000)]));
    expect([status, (await rowOf(app, body.passkey.id))?.['transports']]).toEqual([201, ['usb']]);
  });

  it.each([
    ['empty', ''],
    ['101 characters', 'x'.repeat(101)],
    ['a line break', 'a\nb'],
    ['a sealed cell', 'enc:v1:x'],
  ])('names it by %s: 422', async (_, name) => {
    const credential = device(app).create(await registrationOptions(app, alice.token));
    expect((await send(alice.token, credential, name)).status).toBe(422);
  });
});

describe('bounds', () => {
  it('the 21st passkey is refused, also when several registrations run at once [ASVS 2.3.2]', async () => {
    const ivan = await signUp(app, 'ivan');
    for (let index = 0; index < 17; index++) await register(app, ivan);
    const credentials = [];
    for (let index = 0; index < 6; index++)
      credentials.push(device(app).create(await registrationOptions(app, ivan.token)));
    const answers = await Promise.all(
      credentials.map((credential, index) =>
        app.on(index).request('POST', passkeys, { token: ivan.token, body: { name: 'x', credential } }),
      ),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 201, 201, 409, 409, 409]);
    expect(await keysOf(ivan)).toBe(20);
  });

  it('a device that registered is usable at once', async () => {
    const { authenticator } = await register(app, await signUp(app, 'jane'));
    expect((await trySignIn(app, authenticator)).status).toBe(200);
  });
});

describe('where a second factor is required (SECOND_FACTOR=required) [A2-6]', () => {
  it('a person without one registers a passkey after the password: a whole sign-in, one session', async () => {
    const kim = await signUp(app, 'kim');
    await app.restart({ env: { SECOND_FACTOR: 'required' } });
    const { token: half } = await signIn(app, kim);
    expect((await app.request('GET', '/v1/users/me', { token: half })).status).toBe(401);
    const { status, body } = await tryRegister(app, half, device(app));
    expect([status, typeof body.tokens.refreshToken]).toEqual([201, 'string']);
    expect((await app.request('GET', '/v1/users/me', { token: body.tokens.accessToken })).status).toBe(200);
    expect((await app.request('POST', '/v1/auth/logout', { token: half })).status).toBe(401);
  });
});
