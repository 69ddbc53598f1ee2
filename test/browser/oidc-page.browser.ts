import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { anySubject } from '../auth/oidc/browser.js';
import { RealProvider, type Person } from '../auth/oidc/real-provider.js';
import { anyEmail, signUp, type Actor } from '../support/actors.js';
import type { TestApp } from '../support/app.js';
import { Authority } from '../support/tls-servers.js';
import { launch, openPage, startForBrowser } from './chromium.js';

// Real Chromium between the service and a certified provider, each under its own origin.

let authority: Authority;
let provider: RealProvider;
let app: TestApp;
let origin: string;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let complaints: string[];

beforeAll(async () => {
  authority = await Authority.create();
  provider = await RealProvider.start(authority);
  ({ app, origin } = await startForBrowser({
    OIDC_REAL_ISSUER: provider.issuer,
    OIDC_REAL_LABEL: 'Our staff',
    OIDC_REAL_CLIENT_ID: 'the-service',
    OIDC_REAL_CLIENT_SECRET: provider.secret,
    OIDC_REAL_SCOPES: 'openid email profile',
    OIDC_REAL_SIGN_UP: 'verified-email',
    EGRESS_ALLOW_PRIVATE_HOSTS: provider.host,
    EGRESS_CA_FILE: authority.caFile,
  }));
  const own = `${origin}/v1/auth/oidc/real`;
  provider.register(`${own}/callback`, `${own}/backchannel-logout`, (path, raw) => app.request('POST', path, { raw }));
  browser = await launch(app, [provider.certificate]);
});
afterAll(async () => {
  await browser?.close();
  await app?.close();
  await provider?.close();
  authority?.remove();
});

beforeEach(async () => {
  context = await browser.newContext();
  ({ page, complaints } = await openPage(context, `${origin}/docs/oidc`));
});
afterEach(() => context.close());

const says = (text: string) => page.locator('#message').filter({ hasText: text }).waitFor({ timeout: 10_000 });
const shows = (account: string) => page.locator('#account').filter({ hasText: account }).waitFor({ timeout: 10_000 });
const click = (name: string) => page.getByRole('button', { name, exact: true }).click();
const somebody = (email: string): Person => ({
  sub: anySubject(),
  email,
  email_verified: true,
  name: 'Ann Example',
});

async function signInByPassword({ email, password }: Actor): Promise<void> {
  await page.getByLabel('E-mail address').fill(email);
  await page.getByLabel('Password').fill(password);
  await click('Sign in with the password');
  await says('Signed in by password.');
}

/** The address with which the provider leads this browser back, which it has not opened yet. */
async function callbackOf(): Promise<string> {
  const path = '/v1/auth/oidc/real/start?returnTo=%2Fdocs%2Foidc%23back';
  const begun = await context.request.get(`${origin}${path}`, { maxRedirects: 0, ignoreHTTPSErrors: true });
  const search = await provider.visit(new URL(begun.headers()['location'] ?? ''));
  return `${origin}/v1/auth/oidc/real/callback${search}`;
}

describe('sign-in with another service in a real browser [practice 2.1] [ASVS 10.5.2]', () => {
  it('somebody new signs up and in: there and back, and the page shows whose account it is', async () => {
    provider.next = somebody(anyEmail());
    await click('Sign in with Our staff');
    await says('Signed in by the other service.');
    await shows(provider.next.email);
    await page.locator('#identities li').filter({ hasText: provider.next.email }).waitFor();
    expect([new URL(page.url()).pathname, new URL(page.url()).hash, complaints]).toEqual(['/docs/oidc', '', []]);
  });

  it('links an identity to an account, and signs in with it', async () => {
    const ann = await signUp(app, 'ann');
    provider.next = somebody('ann.elsewhere@example.org');
    await signInByPassword(ann);
    await click('Link Our staff');
    await says('The identity is linked');
    await click('Sign in with Our staff');
    await says('Signed in by the other service.');
    await shows(ann.email);
  });
});

describe('attacks in a real browser [ASVS 10.2.1] [ASVS 7.6.2]', () => {
  it('leads a victim to the callback of a sign-in of the attacker: no session, nobody is signed in', async () => {
    provider.next = somebody(anyEmail());
    const url = await callbackOf();
    const victim = await browser.newContext();
    const opened = await victim.newPage();
    expect((await opened.goto(url))?.status()).toBe(400);
    await opened.goto(`${origin}/docs/oidc#back`);
    await opened.locator('#message.fault').waitFor();
    expect(await opened.locator('#signed-in').isVisible()).toBe(false);
    await victim.close();
  });

  it('opens the callback again, as the button for going back does: refused, and the session stays one', async () => {
    provider.next = somebody(anyEmail());
    const url = await callbackOf();
    await page.goto(url);
    await says('Signed in by the other service.');
    expect((await page.goto(url))?.status()).toBe(400);
    await page.goto(`${origin}/docs/oidc#back`);
    await page.locator('#message.fault').waitFor();
    expect(await page.locator('#signed-in').isVisible()).toBe(false);
  });

  it('sends a link that says that the sign-in is done: nothing is proved, nobody is signed in', async () => {
    await page.goto(`${origin}/docs`);
    await page.goto(`${origin}/docs/oidc#back`);
    await page.locator('#message.fault').waitFor();
    expect(await page.locator('#signed-in').isVisible()).toBe(false);
  });

  it('the address at the provider is that of an account here: not taken over, the way to link it is said', async () => {
    const vic = await signUp(app, 'vic');
    provider.next = somebody(vic.email);
    const answer = page.waitForResponse('**/v1/auth/oidc/real/callback?*');
    await click('Sign in with Our staff');
    expect((await answer).status()).toBe(409);
    expect(await app.sql('SELECT id FROM federated_identities WHERE user_id = $1', [vic.userId])).toEqual([]);
  });
});
