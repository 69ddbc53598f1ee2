import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfigurationError, readConfig } from '../../../../src/config/index.js';
import { signUp, type Actor } from '../../../support/actors.js';
import { startApp, type TestApp } from '../../../support/app.js';
import { Authenticator } from '../../../support/authenticator.js';
import {
  passkeys,
  refusal,
  refusalOf,
  registrationOptions,
  signInOptions,
  tryRegister,
  trySignIn,
} from './ceremonies.js';

// The usual case: the application on one host, its API on another, and one passkey for both.
const page = 'https://app.example.org';
const env = {
  PUBLIC_URL: 'https://api.example.org',
  CORS_ORIGINS: page,
  PASSKEY_ORIGINS: page,
  PASSKEY_RP_ID: 'example.org',
};

let app: TestApp;
let alice: Actor;
beforeAll(async () => {
  app = await startApp({ instances: 1, env });
  alice = await signUp(app, 'alice');
});
afterAll(() => app.close());

describe('passkeys on a page beside the API (WebAuthn Level 3 s5.11) [practice 2.5] [ASVS 6.3.3]', () => {
  it('an honest person registers and signs in from that page, for the domain that both share', async () => {
    const phone = new Authenticator(page);
    const [created, asked] = [await registrationOptions(app, alice.token), await signInOptions(app)];
    expect([created.rp.id, asked.rpId]).toEqual(['example.org', 'example.org']);
    expect((await tryRegister(app, alice.token, phone)).status).toBe(201);
    const { status, body } = await trySignIn(app, phone);
    expect(status).toBe(200);
    expect((await app.request('GET', '/v1/users/me', { token: body.accessToken })).body.id).toBe(alice.userId);
  });

  it.each([
    'https://evil.example.org',
    'https://app.example.org.evil.example',
    'https://example.org',
    'https://app.example.org:8443',
    'http://app.example.org',
    'null',
  ])('phishes a sign-in from %s, which the list does not name: 401, and no session begins', async (origin) => {
    const bob = await signUp(app, 'bob');
    const phone = new Authenticator(page);
    expect((await tryRegister(app, bob.token, phone)).status).toBe(201);
    const before = await app.sql('SELECT id FROM sessions WHERE user_id = $1', [bob.userId]);
    expect(refusalOf(await trySignIn(app, phone, { origin }))).toEqual(refusal);
    expect(await app.sql('SELECT id FROM sessions WHERE user_id = $1', [bob.userId])).toEqual(before);
    expect((await tryRegister(app, bob.token, new Authenticator(page), { origin })).status).toBe(400);
  });

  it('signs for another relying party from the allowed page: 401', async () => {
    const carol = await signUp(app, 'carol');
    const phone = new Authenticator(page);
    expect((await tryRegister(app, carol.token, phone)).status).toBe(201);
    expect(refusalOf(await trySignIn(app, phone, { rpId: 'app.example.org' }))).toEqual(refusal);
  });

  it('a browser asks which pages may: exactly those, and the options too [ASVS 3.4.2]', async () => {
    const { status, headers, body } = await app.request('GET', '/.well-known/webauthn');
    expect([status, headers['content-type'], body]).toEqual([
      200,
      'application/json; charset=utf-8',
      { origins: ['https://api.example.org', page] },
    ]);
    const options = await app.request('POST', `${passkeys}/sign-in-options`, { headers: { origin: page } });
    expect(options.status).toBe(200);
    // With: headers.
    expect(options.headers['access-control-allow-origin']).toBe(page);
  });
});

describe('settings that no browser would follow stop the boot', () => {
  it.each([
    ['PASSKEY_RP_ID', { PASSKEY_RP_ID: 'evil.example' }],
    ['PASSKEY_RP_ID', { PASSKEY_RP_ID: 'pi.example.org' }],
    ['PASSKEY_RP_ID', { PASSKEY_RP_ID: 'org' }],
    ['PASSKEY_RP_ID', { PASSKEY_RP_ID: 'https://example.org' }],
    ['PASSKEY_ORIGINS', { PASSKEY_ORIGINS: 'https://other.example.org' }],
    ['PASSKEY_ORIGINS', { PASSKEY_ORIGINS: 'http://app.example.org' }],
    ['PASSKEY_ORIGINS', { PASSKEY_ORIGINS: 'https://*.example.org' }],
    ['PASSKEY_ORIGINS', { PASSKEY_ORIGINS: 'null' }],
  ])('%s in %j', (name, wrong) => {
    const read = () => readConfig({ ...env, ...wrong });
    expect(read).toThrow(ConfigurationError);
    expect(read).toThrow(new RegExp(`- ${name}: `));
  });
});
