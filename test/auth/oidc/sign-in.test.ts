import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { anyEmail, signUp, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { Authority } from '../../support/tls-servers.js';
import { anyPublicUrl, anySubject, Browser, link } from './browser.js';
import { RealProvider, type Person } from './real-provider.js';

const personOf = (email: string, more: Partial<Person> = {}): Person => ({
  sub: anySubject(),
  email,
  email_verified: true,
  name: 'Ann Example',
  ...more,
});

describe('sign-in with a certified OpenID provider [practice 2.1] [ASVS 10.5.2]', () => {
  let authority: Authority;
  let provider: RealProvider;
  let app: TestApp;
  let ann: Actor;
  let identity: Person;
  const publicUrl = anyPublicUrl();

  beforeAll(async () => {
    authority = await Authority.create();
    provider = await RealProvider.start(authority);
    app = await startApp({
      env: {
        PUBLIC_URL: publicUrl,
        OIDC_REAL_ISSUER: provider.issuer,
        OIDC_REAL_CLIENT_ID: 'the-service',
        OIDC_REAL_CLIENT_SECRET: provider.secret,
        OIDC_REAL_SCOPES: 'openid email profile',
        OIDC_REAL_SIGN_UP: 'verified-email',
        EGRESS_ALLOW_PRIVATE_HOSTS: provider.host,
        EGRESS_CA_FILE: authority.caFile,
      },
    });
    const own = `${publicUrl}/v1/auth/oidc/real`;
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    provider.register(`${own}/callback`, `${own}/backchannel-logout`, (path, raw) =>
      app.request('POST', path, { raw, headers }),
    );
    ann = await signUp(app, 'ann');
    identity = personOf(ann.email);
    provider.next = identity;
    expect((await link(new Browser(app), 'real', ann.token, (page) => provider.visit(page))).status).toBe(303);
  });
  beforeEach(() => {
    provider.next = identity;
    provider.amr = ['pwd'];
  });
  afterAll(async () => {
    await app.close();
    await provider.close();
    authority.remove();
  });

  const signIn = async (browser: Browser, query = '') => {
    const answer = await browser.callback('real', await provider.visit(await browser.start('real', query)));
    expect(answer.status).toBe(303);
    return browser.finish();
  };
  const account = (token: string) => app.request('GET', '/v1/users/me', { token });
  const sessionsOf = (userId: string) =>
    app.sql('SELECT id FROM sessions WHERE user_id = $1 AND ended_at IS NULL', [userId]);

  it('an honest person signs in, and is led back to where they were', async () => {
    const browser = new Browser(app);
    const back = await browser.callback(
      'real',
      await provider.visit(await browser.start('real', '?returnTo=/home%3Fa=1')),
    );
    expect([back.status, back.headers['location'], back.headers['referrer-policy']]).toEqual([
      303,
      '/home?a=1',
      'no-referrer',
    ]);
    const tokens = await browser.finish();
    expect(tokens.status).toBe(200);
    expect((await account(tokens.body.accessToken as string)).body).toMatchObject({ email: ann.email });
  });

  it('asks for no more than it needs, by code, PKCE, state and nonce [ASVS 10.2.3] [ASVS 10.2.1]', async () => {
    const query = Object.fromEntries((await new Browser(app).start('real')).searchParams);
    expect(query).toMatchObject({
      response_type: 'code',
      scope: 'openid email profile',
      code_challenge_method: 'S256',
      redirect_uri: `${publicUrl}/v1/auth/oidc/real/callback`,
    });
    for (const secret of ['state', 'nonce', 'code_challenge']) expect(query[secret]).toMatch(/^[\w-]{43}$/);
  });

  it('no token of the provider is in any answer, nor in the log [ASVS 10.1.1]', async () => {
    const browser = new Browser(app);
    const search = await provider.visit(await browser.start('real'));
    const answers = [await browser.callback('real', search), await browser.finish()];
    const code = new URLSearchParams(search).get('code') ?? '';
    for (const { text, headers } of answers)
      for (const secret of [code, identity.sub]) expect(text + JSON.stringify(headers)).not.toContain(secret);
    expect(app.logText()).not.toContain(code);
  });

  it('a new person gets an account by an address that the provider has verified', async () => {
    const person = personOf(anyEmail());
    provider.next = person;
    const tokens = await signIn(new Browser(app));
    expect((await account(tokens.body.accessToken as string)).body).toMatchObject({
      email: person.email,
      name: 'Ann Example',
    });
    expect((await signIn(new Browser(app))).status).toBe(200);
  });

  it('the address is that of somebody here: nothing is linked, and the way to link is told [ASVS 6.8.1]', async () => {
    provider.next = personOf(ann.email);
    const browser = new Browser(app);
    const refused = await browser.callback('real', await provider.visit(await browser.start('real')));
    expect(refused).toMatchObject({ status: 409, body: { type: expect.stringContaining('link-required') as string } });
    expect((await browser.finish()).status).toBe(400);
    expect(await app.sql('SELECT id FROM federated_identities WHERE user_id = $1', [ann.userId])).toHaveLength(1);
  });

  it('the provider gives the address to somebody else: their subject is not that of before [ASVS 10.5.2]', async () => {
    const person = personOf(anyEmail());
    provider.next = person;
    await signIn(new Browser(app));
    provider.next = personOf(person.email);
    const browser = new Browser(app);
    expect((await browser.callback('real', await provider.visit(await browser.start('real')))).status).toBe(409);
  });

  it('replays the callback: the code and the cookie were used [A2-7]', async () => {
    const browser = new Browser(app);
    const search = await provider.visit(await browser.start('real'));
    const copy = new Browser(app);
    browser.copyCookiesTo(copy);
    expect((await browser.callback('real', search)).status).toBe(303);
    const before = await sessionsOf(ann.userId);
    expect((await copy.callback('real', search)).status).toBe(400);
    expect((await copy.finish()).status).toBe(400);
    expect(await sessionsOf(ann.userId)).toEqual(before);
  });

  it('redeems the code of another sign-in: its verifier is not that of this browser [A2-7] [ASVS 10.2.1]', async () => {
    const [browser, thief] = [new Browser(app), new Browser(app)];
    const stolen = new URLSearchParams(await provider.visit(await browser.start('real')));
    const own = new URLSearchParams(await provider.visit(await thief.start('real')));
    own.set('code', stolen.get('code') ?? '');
    expect((await thief.callback('real', `?${own.toString()}`)).status).toBe(400);
    expect((await thief.finish()).status).toBe(400);
  });

  it('finishes a sign-in twice, or in another browser: one session begins [ASVS 7.6.2]', async () => {
    const browser = new Browser(app);
    await browser.callback('real', await provider.visit(await browser.start('real')));
    const copy = new Browser(app);
    browser.copyCookiesTo(copy);
    expect((await new Browser(app).finish()).status).toBe(400);
    expect((await browser.finish()).status).toBe(200);
    expect((await copy.finish()).status).toBe(400);
  });

  it('signs out at the provider: the sessions that it vouched for end, and no others [ASVS 7.6.1]', async () => {
    const federated = (await signIn(new Browser(app))).body.accessToken as string;
    const own = await app.request('POST', '/v1/auth/login', { body: { email: ann.email, password: ann.password } });
    await provider.signOut(identity.sub);
    expect((await account(federated)).status).toBe(401);
    expect((await account(own.body.accessToken as string)).status).toBe(200);
  });

  // With: browser.
  it('in a browser: the refresh token is in its cookie only', async () => {
    const browser = new Browser(app);
    await browser.callback('real', await provider.visit(await browser.start('real')));
    const tokens = await browser.finish({ inBrowser: true });
    expect([tokens.status, tokens.body.refreshToken]).toEqual([200, null]);
    expect(browser.cookie('__Host-refresh')).toBeDefined();
  });
});
