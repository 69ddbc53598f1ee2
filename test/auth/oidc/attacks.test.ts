import { randomBytes } from 'node:crypto';
import { generateKeyPair } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { anyEmail, signUp, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { Authority } from '../../support/tls-servers.js';
import { anyPublicUrl, anySubject, Browser, link } from './browser.js';
import { FakeProvider } from './fake-provider.js';

const form = { 'content-type': 'application/x-www-form-urlencoded' };

// Two providers that an attacker may own, and that say whatever a test tells them to.
describe('answers of a provider that are not what they seem [A2-7] [ASVS 10.1.2]', () => {
  const publicUrl = anyPublicUrl();
  let authority: Authority;
  let one: FakeProvider;
  let other: FakeProvider;
  let app: TestApp;
  let ann: Actor;
  /** Has an account, and no identity. */
  let vic: Actor;
  const subject = anySubject();

  beforeAll(async () => {
    authority = await Authority.create();
    [one, other] = [await FakeProvider.start(authority), await FakeProvider.start(authority)];
    app = await startApp({
      env: {
        PUBLIC_URL: publicUrl,
        OIDC_ONE_ISSUER: one.issuer,
        OIDC_ONE_CLIENT_ID: 'the-service',
        OIDC_ONE_CLIENT_SECRET: 'not-a-secret',
        OIDC_ONE_SIGN_UP: 'verified-email',
        OIDC_OTHER_ISSUER: other.issuer,
        OIDC_OTHER_CLIENT_ID: 'the-service',
        OIDC_OTHER_CLIENT_SECRET: 'not-a-secret',
        OIDC_OTHER_SECOND_FACTOR_AMR: 'mfa',
        EGRESS_ALLOW_PRIVATE_HOSTS: `${one.host},${other.host}`,
        EGRESS_CA_FILE: authority.caFile,
      },
    });
    [ann, vic] = [await signUp(app, 'ann'), await signUp(app, 'vic')];
    for (const [name, provider] of [
      ['one', one],
      ['other', other],
    ] as const) {
      provider.reset({ sub: subject, email: ann.email, email_verified: true });
      const { token } = await login();
      const linked = await link(new Browser(app), name, token, async (page) => provider.visit(page));
      expect(linked.status).toBe(303);
    }
  });
  beforeEach(() => {
    one.reset({ sub: subject, email: ann.email, email_verified: true });
    other.reset({ sub: subject, email: ann.email, email_verified: true });
  });
  afterAll(async () => {
    await app.close();
    await Promise.all([one.close(), other.close()]);
    authority.remove();
  });

  async function login() {
    const { body } = await app.request('POST', '/v1/auth/login', {
      body: { email: ann.email, password: ann.password },
    });
    return { token: body.accessToken as string };
  }
  const openSessions = () =>
    app.sql('SELECT id FROM sessions WHERE user_id = $1 AND ended_at IS NULL ORDER BY id', [ann.userId]);
  const identities = () => app.sql('SELECT id, user_id FROM federated_identities ORDER BY id');

  /** Nothing of it counts: the answer, no session, no identity. */
  async function expectRefused(browser: Browser, search: string, name = 'one') {
    const before = [await openSessions(), await identities()];
    const refused = await browser.callback(name, search);
    expect(refused).toMatchObject({
      status: 400,
      body: { type: expect.stringContaining('/problems/provider-sign-in-refused') as string },
    });
    expect((await browser.finish()).status).toBe(400);
    expect([await openSessions(), await identities()]).toEqual(before);
    expect(await app.auditEvent('authn_login_fail')).toMatchObject({ outcome: 'denied' });
  }

  it('the providers of these tests sign people in', async () => {
    for (const [name, provider] of [
      ['one', one],
      ['other', other],
    ] as const) {
      const browser = new Browser(app);
      expect((await browser.callback(name, provider.visit(await browser.start(name)))).status).toBe(303);
      expect((await browser.finish()).status).toBe(200);
    }
  });

  it.each(['state', 'code', 'iss'])('swaps %s in the callback, or leaves it out', async (name) => {
    for (const value of [undefined, 'x'.repeat(43), '']) {
      const browser = new Browser(app);
      const query = new URLSearchParams(one.visit(await browser.start('one')));
      query.delete(name);
      // Any code is good for this provider: only a missing one is a fault.
      if (value !== undefined && name !== 'code') query.set(name, value);
      await expectRefused(browser, `?${query.toString()}`);
    }
  });

  it('names a parameter twice: refused before anybody reads it', async () => {
    const browser = new Browser(app);
    const search = one.visit(await browser.start('one'));
    const before = await openSessions();
    expect((await browser.callback('one', `${search}&state=${'x'.repeat(43)}`)).status).toBe(400);
    expect((await browser.finish()).status).toBe(400);
    expect(await openSessions()).toEqual(before);
  });

  it('sends a victim to the callback of a sign-in that the attacker began (login CSRF) [ASVS 7.6.2]', async () => {
    const search = one.visit(await new Browser(app).start('one'));
    await expectRefused(new Browser(app), search);
    const victim = new Browser(app);
    await victim.start('one');
    await expectRefused(victim, search);
  });

  it('changes the cookie: where to go, whom to link, which provider', async () => {
    const browser = new Browser(app);
    const search = one.visit(await browser.start('one'));
    const [token] = (browser.cookie('__Host-oidc') ?? '').split('.');
    const forged = {
      provider: 'one',
      returnTo: '/',
      isFresh: false,
      linkTo: { userId: ann.userId, sessionId: ann.userId },
    };
    browser.setCookie('__Host-oidc', `${token}.${Buffer.from(JSON.stringify(forged)).toString('base64url')}`);
    await expectRefused(browser, search);
  });

  it('makes up what was proved', async () => {
    const [{ id } = { id: '' }] = await app.sql<{ id: string }>('SELECT id FROM federated_identities');
    const browser = new Browser(app);
    const forged = { identityId: id, methods: ['fed:one', 'mfa'], authenticatedAt: Date.now() };
    const text = Buffer.from(JSON.stringify(forged)).toString('base64url');
    browser.setCookie('__Host-oidc-proved', `${randomBytes(48).toString('hex')}.${text}`);
    expect((await browser.finish()).status).toBe(400);
  });

  it('posts the answer of one provider to the callback of another (mix-up) [ASVS 10.2.2]', async () => {
    const browser = new Browser(app);
    await expectRefused(browser, one.visit(await browser.start('one')), 'other');
    const second = new Browser(app);
    const page = await second.start('other');
    other.nonce = one.nonce = page.searchParams.get('nonce') ?? '';
    const query = new URLSearchParams({ code: 'any', state: page.searchParams.get('state') ?? '', iss: one.issuer });
    await expectRefused(second, `?${query.toString()}`, 'other');
  });

  const now = () => Math.floor(Date.now() / 1000);
  it.each<[string, (provider: FakeProvider) => void]>([
    ['for another service', (p) => void (p.override = { aud: 'another' })],
    ['for two services, without the one that asked', (p) => void (p.override = { aud: ['the-service', 'another'] })],
    ['for two services, and asked by the other', (p) => void (p.override = { aud: ['the-service', 'x'], azp: 'x' })],
    ['of another issuer', (p) => void (p.override = { iss: 'https://other.example' })],
    ['of the issuer with a slash', (p) => void (p.override = { iss: `${p.issuer}/` })],
    ['that has expired', (p) => void (p.override = { iat: now() - 900, exp: now() - 600 })],
    ['without an end', (p) => void (p.override = { exp: undefined })],
    ['of another sign-in [ASVS 10.5.1]', (p) => void (p.override = { nonce: 'x'.repeat(43) })],
    ['without a nonce', (p) => void (p.override = { nonce: undefined })],
    ['without a subject', (p) => void (p.override = { sub: undefined })],
    ['with a number as subject [A10-2]', (p) => void (p.override = { sub: 17 })],
    ['with a time of sign-in that is none', (p) => void (p.override = { auth_time: 'now' })],
    ['with an object as subject', (p) => void (p.override = { sub: { toString: 'x' } })],
    ['with an endless subject', (p) => void (p.override = { sub: 'x'.repeat(256) })],
    ['with line breaks in the subject', (p) => void (p.override = { sub: 'ann\r\nbob' })],
  ])('an ID token %s', async (_, tell) => {
    tell(one);
    const browser = new Browser(app);
    await expectRefused(browser, one.visit(await browser.start('one')));
  });

  const unsigned = (claims: Record<string, unknown>) =>
    [{ alg: 'none', kid: 'one' }, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.');
  it.each<[string, FakeProvider['sign']]>([
    ['without a signature (alg none)', async (claims) => `${unsigned(claims)}.`],
    [
      'with the signature cut off',
      async (claims) => (await one.signWith(one.privateKey, claims)).replace(/[^.]+$/, ''),
    ],
    ['of another key', async (claims) => one.signWith((await generateKeyPair('ES256')).privateKey, claims)],
    [
      'of another key, under its own id',
      async (claims) => one.signWith((await generateKeyPair('ES256')).privateKey, claims, { kid: 'two' }),
    ],
    [
      'of a key that it brings along',
      async (claims) => one.signWith((await generateKeyPair('ES256')).privateKey, claims, { jwk: one.publicKey }),
    ],
    [
      'with the public key as shared secret (HS256)',
      async (claims) => one.signWith(Buffer.from(JSON.stringify(one.publicKey)), claims, { alg: 'HS256' }),
    ],
    [
      'that was changed',
      async (claims) => (await one.signWith(one.privateKey, claims)).replace(/^([^.]+\.).{8}/, '$1AAAAAAAA'),
    ],
    ['that is no token', async () => 'x.y.z'],
  ])('an ID token %s [ASVS 6.8.2]', async (_, sign) => {
    one.sign = sign;
    const browser = new Browser(app);
    await expectRefused(browser, one.visit(await browser.start('one')));
  });

  it('says that it did not sign the person in', async () => {
    const browser = new Browser(app);
    const query = new URLSearchParams(one.visit(await browser.start('one')));
    const answer = new URLSearchParams({ error: 'access_denied', error_description: '<b>canary</b>' });
    for (const name of ['state', 'iss']) answer.set(name, query.get(name) ?? '');
    await expectRefused(browser, `?${answer.toString()}`);
    expect(app.logText()).not.toContain('canary');
  });

  it.each<[string, Record<string, unknown>]>([
    ['unverified', { email_verified: false }],
    ['said to be verified by a word', { email_verified: 'true' }],
    ['without a word about it', { email_verified: undefined }],
    ['verified, of somebody else', {}],
  ])(
    "comes with the address of a victim, %s: 409, and the same for nobody's [ASVS 6.8.1] [A2-2]",
    async (_, claims) => {
      const before = [await openSessions(), await identities()];
      const answers = [];
      for (const email of [vic.email, ...(Object.keys(claims).length > 0 ? [anyEmail()] : [])]) {
        one.reset({ sub: anySubject(), email, email_verified: true, ...claims });
        const browser = new Browser(app);
        const { status, body } = await browser.callback('one', one.visit(await browser.start('one')));
        answers.push([status, body.type, body.title, body.detail]);
        expect((await browser.finish()).status).toBe(400);
      }
      for (const answer of answers) expect(answer).toEqual(answers[0]);
      expect(answers[0]?.[0]).toBe(409);
      expect([await openSessions(), await identities()]).toEqual(before);
    },
  );

  it('another provider says the same subject and address: it is somebody else [ASVS 6.8.1] [ASVS 10.3.3]', async () => {
    const sub = anySubject();
    one.reset({ sub, email: anyEmail(), email_verified: true });
    const browser = new Browser(app);
    expect((await browser.callback('one', one.visit(await browser.start('one')))).status).toBe(303);
    other.reset({ ...one.claims });
    expect((await browser.callback('other', other.visit(await browser.start('other')))).status).toBe(409);
  });

  it.each<[string, unknown, string]>([
    ['with line breaks and a header', 'Ann\r\nBcc: x@example.org', 'someone'],
    ['that is markup: stored as it is', '<script>alert(1)</script>', '<script>alert(1)</script>'],
    ['of a megabyte', 'x'.repeat(100_000), 'someone'],
    ['that is an object', { toString: 'x' }, 'someone'],
    ['that looks like a sealed cell', 'enc:v1:x:y', 'someone'],
  ])('a name %s [A10-2]', async (_, name, stored) => {
    const email = anyEmail();
    one.reset({ sub: anySubject(), email, email_verified: true, name });
    const browser = new Browser(app);
    expect((await browser.callback('one', one.visit(await browser.start('one')))).status).toBe(303);
    const { accessToken } = (await browser.finish()).body as { accessToken: string };
    const { body } = await app.request('GET', '/v1/users/me', { token: accessToken });
    expect(body.name).toBe(stored === 'someone' ? email.slice(0, email.indexOf('@')) : stored);
  });

  it.each([
    '//evil.example', '/\\evil.example', 'https://evil.example', '/%0d%0aLocation:x', 'javascript:alert(1)', '\\evil',
    '/\tevil.example', '', '.', 'home', `/${'x'.repeat(512)}`, '/a\\b', '/ /evil.example',
  ])('is to lead back to %j: 400, and no sign-in begins [ASVS 3.7.2]', async (returnTo) => {
    const path = `/v1/auth/oidc/one/start?returnTo=${encodeURIComponent(returnTo)}`;
    const answer = await app.request('GET', path);
    // An encoded line break is a path like any other: what decodes it is not the browser.
    if (returnTo === '/%0d%0aLocation:x') {
      expect(answer.status).toBe(303);
      return;
    }
    expect(answer.status).toBe(400);
    expect(answer.headers['set-cookie']).toBeUndefined();
  }); // prettier-ignore

  it('a provider says that it saw a second factor: it counts where the owner named the word [ASVS 6.8.4]', async () => {
    const methods = async (name: string, provider: FakeProvider, amr: unknown) => {
      provider.override = { amr };
      const browser = new Browser(app);
      await browser.callback(name, provider.visit(await browser.start(name)));
      const { accessToken } = (await browser.finish()).body as { accessToken: string };
      const { amr: proved, acr } = JSON.parse(
        Buffer.from(accessToken.split('.')[1] ?? '', 'base64url').toString(),
      ) as Record<string, unknown>;
      return [proved, acr];
    };
    expect(await methods('one', one, ['pwd', 'mfa'])).toEqual([['fed:one'], 'aal1']);
    expect(await methods('other', other, ['pwd', 'mfa'])).toEqual([['fed:other', 'mfa'], 'aal2']);
    expect(await methods('other', other, 'mfa')).toEqual([['fed:other'], 'aal1']);
    expect(await methods('other', other, ['mfa ', 'MFA', 7])).toEqual([['fed:other'], 'aal1']);
  });

  it.each<[string, Record<string, unknown>, number]>([
    ['long ago', { auth_time: Math.floor(Date.now() / 1000) - 3_600 }, 401],
    ['at a time that it does not tell', { auth_time: undefined }, 401],
    ['just now', {}, 204],
  ])(
    'signed in at the provider %s: what demands a fresh proof answers %3$i [ASVS 7.6.1]',
    async (_, claims, status) => {
      one.override = claims;
      const browser = new Browser(app);
      const landed = await browser.callback('one', one.visit(await browser.start('one')));
      expect(landed.status).toBe(303);
      const { accessToken: token } = (await browser.finish()).body as { accessToken: string };
      expect((await app.request('DELETE', '/v1/auth/sessions/others', { token })).status).toBe(status);
    },
  );

  it('an ID token is no access token, and no logout token [ASVS 10.5.5]', async () => {
    const claims = {
      iss: one.issuer,
      aud: 'the-service',
      sub: subject,
      iat: now(),
      exp: now() + 60,
      jti: 'x',
      nonce: 'n',
    };
    const idToken = await one.signWith(one.privateKey, claims);
    expect((await app.request('GET', '/v1/users/me', { token: idToken })).status).toBe(401);
    const logout = await app.request('POST', '/v1/auth/oidc/one/backchannel-logout', {
      raw: `logout_token=${idToken}`,
      headers: form,
    });
    expect(logout.status).toBe(400);
  });

  describe('logout tokens [ASVS 10.5.5]', () => {
    const events = { 'http://schemas.openid.net/event/backchannel-logout': {} };
    const honest = () => ({
      iss: one.issuer,
      aud: 'the-service',
      sub: subject,
      iat: now(),
      exp: now() + 60,
      jti: 'j',
      events,
    });
    const send = async (claims: Record<string, unknown>, header: object = { typ: 'logout+jwt' }, name = 'one') =>
      app.request('POST', `/v1/auth/oidc/${name}/backchannel-logout`, {
        raw: `logout_token=${await one.signWith(one.privateKey, claims, header)}`,
        headers: form,
      });
    const signIn = async () => {
      const browser = new Browser(app);
      await browser.callback('one', one.visit(await browser.start('one')));
      return (await browser.finish()).body.accessToken as string;
    };
    const isIn = async (token: string) => (await app.request('GET', '/v1/users/me', { token })).status === 200;

    it.each<[string, Record<string, unknown>, object?, string?]>([
      ['of another type', {}, { typ: 'JWT' }],
      ['without a type', {}, {}],
      ['with a nonce', { nonce: 'n' }],
      ['without the event', { events: undefined }],
      ['with another event', { events: { 'https://example.org/event': {} } }],
      ['for another service', { aud: 'another' }],
      ['of another issuer', { iss: 'https://other.example' }],
      ['of an hour ago', { iat: now() - 3_600, exp: now() + 60 }],
      ['without an id', { jti: undefined }],
      ['without a subject', { sub: undefined }],
      ['at the address of another provider', {}, { typ: 'logout+jwt' }, 'other'],
    ])('%s: refused, and the session goes on', async (_, change, header, name) => {
      const token = await signIn();
      expect((await send({ ...honest(), ...change }, header, name)).status).toBe(400);
      expect(await isIn(token)).toBe(true);
    });

    it('of somebody whom nobody knows: nothing happens', async () => {
      const token = await signIn();
      expect((await send({ ...honest(), sub: anySubject() })).status).toBe(204);
      expect(await isIn(token)).toBe(true);
    });

    it('is sent again as it was: sessions that began after it go on', async () => {
      const old = { ...honest(), iat: now() - 120, jti: 'old' };
      const raw = `logout_token=${await one.signWith(one.privateKey, old, { typ: 'logout+jwt' })}`;
      const path = '/v1/auth/oidc/one/backchannel-logout';
      expect((await app.request('POST', path, { raw, headers: form })).status).toBe(204);
      const token = await signIn();
      expect((await app.request('POST', path, { raw, headers: form })).status).toBe(204);
      expect(await isIn(token)).toBe(true);
      expect((await send(honest())).status).toBe(204);
      expect(await isIn(token)).toBe(false);
    });

    it('as JSON, twice, or in a form to another route: refused', async () => {
      const token = await one.signWith(one.privateKey, honest(), { typ: 'logout+jwt' });
      const path = '/v1/auth/oidc/one/backchannel-logout';
      const twice = { raw: `logout_token=${token}&logout_token=${token}`, headers: form };
      expect((await app.request('POST', path, twice)).status).toBe(400);
      const login = { raw: 'email=a%40example.org&password=x', headers: form };
      expect((await app.request('POST', '/v1/auth/login', login)).status).toBe(415);
    });
  });
});
