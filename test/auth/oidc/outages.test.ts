import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { signUp, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { Authority } from '../../support/tls-servers.js';
import { visible } from '../visible.js';
import { anyPublicUrl, anySubject, Browser, link } from './browser.js';
import { FakeProvider } from './fake-provider.js';

type Instead = Parameters<FakeProvider['instead']['set']>[1];

const html: Instead = (response) => void response.setHeader('content-type', 'text/html').end('<html>canary</html>');
const htmlAsJson: Instead = (response) =>
  void response.setHeader('content-type', 'application/json').end('<html>canary</html>');
const huge: Instead = (response) =>
  void response.setHeader('content-type', 'application/json').end(`{"canary":"${'x'.repeat(300 * 1024)}"}`);
const redirected: Instead = (response) =>
  void response.writeHead(302, { location: 'https://169.254.169.254/canary' }).end();
const broken: Instead = (response) => void response.destroy();
const failing: Instead = (response) => void response.writeHead(500).end('canary');

const discovery = '/.well-known/openid-configuration';

describe('a provider that is down, or no provider [A10-1] [ASVS 13.2.6]', () => {
  let authority: Authority;
  let sick: FakeProvider;
  let well: FakeProvider;
  let app: TestApp;
  let ann: Actor;
  const claims = () => ({ sub: subject, email: ann.email, email_verified: true });
  const subject = anySubject();

  beforeAll(async () => {
    authority = await Authority.create();
    [sick, well] = [await FakeProvider.start(authority), await FakeProvider.start(authority)];
    app = await startApp({ env: environment() });
    ann = await signUp(app, 'ann');
    sick.reset(claims());
    well.reset(claims());
    for (const [name, provider] of [
      ['sick', sick],
      ['well', well],
    ] as const) {
      const { body } = await login();
      const linked = await link(new Browser(app), name, body.accessToken as string, async (page) =>
        provider.visit(page),
      );
      expect(linked.status).toBe(303);
    }
  });
  afterEach(() => {
    sick.reset(claims());
    well.reset(claims());
  });
  afterAll(async () => {
    await app.close();
    await Promise.all([sick.close(), well.close()]);
    authority.remove();
  });

  const environment = () => ({
    PUBLIC_URL: anyPublicUrl(),
    OIDC_SICK_ISSUER: sick.issuer,
    OIDC_SICK_CLIENT_ID: 'the-service',
    OIDC_SICK_CLIENT_SECRET: 'not-a-secret',
    OIDC_WELL_ISSUER: well.issuer,
    OIDC_WELL_CLIENT_ID: 'the-service',
    OIDC_WELL_CLIENT_SECRET: 'not-a-secret',
    EGRESS_ALLOW_PRIVATE_HOSTS: `${sick.host},${well.host}`,
    EGRESS_CA_FILE: authority.caFile,
  });
  const login = () => app.request('POST', '/v1/auth/login', { body: { email: ann.email, password: ann.password } });
  const signIn = async (name: string, provider: FakeProvider) => {
    const browser = new Browser(app);
    await browser.callback(name, provider.visit(await browser.start(name)));
    return browser.finish();
  };

  /** That provider alone: the other one signs people in, and so does a password. */
  async function expectOutage(answer: {
    status: number;
    headers: Readonly<Record<string, string | undefined>>;
    text: string;
  }) {
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '30']);
    expect(answer.text).not.toContain('canary');
    expect((await signIn('well', well)).status).toBe(200);
    expect((await login()).status).toBe(200);
  }

  describe('at the start: nothing of it is known yet', () => {
    it.each<[string, Instead]>([
      ['HTML', html],
      ['HTML that says it is JSON', htmlAsJson],
      ['300 KB', huge],
      ['a redirect', redirected],
      ['no answer', broken],
      ['500', failing],
    ])('its discovery document is %s: 503 for it, and it works as soon as it is back', async (_, instead) => {
      await app.restart({ env: environment() });
      sick.instead.set(discovery, instead);
      await expectOutage(await app.request('GET', '/v1/auth/oidc/sick/start'));
      expect(app.logText()).not.toContain('canary');
      sick.instead.clear();
      expect((await signIn('sick', sick)).status).toBe(200);
    });

    it('whatever is wrong with it, the answer is the same: nobody scans ports by it [A7-5] [ASVS 16.5.1]', async () => {
      const start = async () => {
        const { status, headers, body } = visible(await app.request('GET', '/v1/auth/oidc/sick/start'));
        // How much is left of the caller's own limit, and the cookie of this sign-in.
        return `${status} ${JSON.stringify([{ ...headers, 'ratelimit': '', 'set-cookie': '' }, body])}`;
      };
      const answers = new Set<string>();
      for (const instead of [html, htmlAsJson, huge, redirected, broken, failing]) {
        await app.restart({ env: environment() });
        sick.instead.set(discovery, instead);
        answers.add(await start());
      }
      const closed = 'localhost:1';
      const hosts = `${closed},${well.host}`;
      const env = { ...environment(), OIDC_SICK_ISSUER: `https://${closed}`, EGRESS_ALLOW_PRIVATE_HOSTS: hosts };
      await app.restart({ env });
      answers.add(await start());
      expect([...answers]).toEqual([expect.stringMatching(/^503 /)]);
    });

    it.each<[string, (provider: FakeProvider) => Record<string, unknown>]>([
      ['another issuer', () => ({ issuer: 'https://other.example' })],
      ['its issuer with a slash', ({ issuer }) => ({ issuer: `${issuer}/` })],
      ['its issuer in capitals', ({ issuer }) => ({ issuer: issuer.replace('localhost', 'LOCALHOST') })],
      ['a page of another host', () => ({ authorization_endpoint: 'https://evil.example/authorize' })],
      ['a page in clear', ({ issuer }) => ({ authorization_endpoint: `${issuer.replace('https', 'http')}/authorize` })],
      ['a page that is a script', () => ({ authorization_endpoint: 'javascript:alert(1)' })],
    ])('its discovery document names %s: 503, and the browser is led nowhere [ASVS 10.5.3]', async (_, change) => {
      await app.restart({ env: environment() });
      sick.discovery = change(sick);
      const answer = await app.request('GET', '/v1/auth/oidc/sick/start');
      await expectOutage(answer);
      expect(answer.headers['location']).toBeUndefined();
    });
  });

  it.each<[string, string, Instead, number]>([
    ['keys', '/jwks', html, 503],
    ['keys', '/jwks', huge, 503],
    ['keys', '/jwks', redirected, 503],
    ['keys', '/jwks', failing, 503],
    ['token', '/token', redirected, 503],
    ['token', '/token', failing, 503],
    ['token', '/token', huge, 503],
    ['token', '/token', broken, 503],
  ])('the answer with its %s is none (%s): nobody is signed in', async (_, path, instead, status) => {
    await app.restart({ env: environment() });
    const browser = new Browser(app);
    const search = sick.visit(await browser.start('sick'));
    sick.instead.set(path, instead);
    const answer = await browser.callback('sick', search);
    expect(answer.status).toBe(status);
    expect((await browser.finish()).status).toBe(400);
    await expectOutage(answer);
  });

  it('it names the metadata service for its keys: nothing is sent there, and nobody is signed in [A7-6]', async () => {
    await app.restart({ env: environment() });
    sick.discovery = { jwks_uri: 'https://169.254.169.254/keys' };
    const browser = new Browser(app);
    expect((await browser.callback('sick', sick.visit(await browser.start('sick')))).status).toBe(503);
    expect((await browser.finish()).status).toBe(400);
  });

  it('changes its keys: the next sign-in works', async () => {
    const next = await FakeProvider.start(authority);
    sick.instead.set(
      '/jwks',
      (response) =>
        void response
          .setHeader('content-type', 'application/json')
          .end(JSON.stringify({ keys: [{ ...next.publicKey, kid: 'two' }] })),
    );
    sick.sign = (all) => next.signWith(next.privateKey, all, { kid: 'two' });
    await app.restart({ env: environment() });
    expect((await signIn('sick', sick)).status).toBe(200);
    await next.close();
  });

  it('an unknown provider: 404, whatever its name', async () => {
    for (const path of ['nobody/start', 'nobody/callback?code=x', 'Sick/start', '..%2fsick/start', 'constructor/start'])
      expect([path, (await app.request('GET', `/v1/auth/oidc/${path}`)).status]).not.toEqual([path, 303]);
    expect((await app.request('GET', '/v1/auth/oidc/nobody/start')).status).toBe(404);
    expect((await app.request('GET', '/v1/auth/oidc/constructor/start')).status).toBe(404);
  });
});
