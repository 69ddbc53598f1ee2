import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { signUp, type Actor } from '../support/actors.js';
import type { TestApp } from '../support/app.js';
import { launch, openPage, plugIn, startForBrowser, type Device } from './chromium.js';

// Real Chromium with its virtual authenticator, on the page that the service itself serves.

let app: TestApp;
let origin: string;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let complaints: string[];
let device: Device;

beforeAll(async () => {
  ({ app, origin } = await startForBrowser());
  browser = await launch(app);
});
afterAll(async () => {
  await browser?.close();
  await app?.close();
});

beforeEach(async () => {
  context = await browser.newContext();
  ({ page, complaints } = await openPage(context, `${origin}/docs/passkeys`));
  device = await plugIn(page);
});
afterEach(() => context.close());

const says = (text: string | RegExp) => page.locator('#message').filter({ hasText: text }).waitFor({ timeout: 10_000 });
const click = (name: string) => page.getByRole('button', { name, exact: true }).click();
const sessionsOf = ({ userId }: Actor) =>
  app.sql<{ methods: string[] }>('SELECT methods FROM sessions WHERE user_id = $1 AND ended_at IS NULL ORDER BY id', [
    userId,
  ]);

async function signInByPassword({ email, password }: Actor): Promise<void> {
  await page.getByLabel('E-mail address').fill(email);
  await page.getByLabel('Password').fill(password);
  await click('Sign in with the password');
}

/** Signs up, in by password, adds a passkey on the page, and signs out. */
async function withPasskey(name: string): Promise<Actor> {
  const person = await signUp(app, name);
  await signInByPassword(person);
  await says('Signed in by password.');
  await click('Add a passkey');
  await says('The passkey is registered.');
  await click('Sign out');
  await says('Signed out.');
  await vi.waitFor(async () => expect(await page.locator('#signed-in').textContent()).not.toMatch(/@|not used yet/));
  return person;
}

describe('passkeys in a real browser [practice 2.5] [ASVS 6.3.3]', () => {
  it('register, sign out, sign in without a user name: the page shows whose account it is', async () => {
    const alice = await withPasskey('alice');
    await click('Sign in with a passkey');
    await says('Signed in by passkey.');
    const passkeys = page.locator('#passkeys li');
    await passkeys.waitFor();
    expect(await page.locator('#account').textContent()).toBe(alice.email);
    expect(await passkeys.allTextContents()).toEqual([expect.stringMatching(/^This deviceused /)]);
    expect((await sessionsOf(alice)).at(-1)?.methods).toEqual(['hwk', 'user']);
    expect(complaints).toEqual([]);
  });

  it('the device keeps no personal data as user handle, and a key that signs for this host only', async () => {
    const bob = await withPasskey('bob');
    const { credentials } = await device.cdp.send('WebAuthn.getCredentials', {
      authenticatorId: device.authenticatorId,
    });
    expect(credentials).toHaveLength(1);
    expect(credentials[0]).toMatchObject({ rpId: 'localhost', isResidentCredential: true });
    expect(Buffer.from(credentials[0]?.userHandle ?? '', 'base64').toString('hex')).toBe(
      bob.userId.replaceAll('-', ''),
    );
  });

  it('after the password the passkey is due, and the page asks for it [A2-6]', async () => {
    const carol = await withPasskey('carol');
    await signInByPassword(carol);
    await says('Signed in by passkey.');
    expect((await sessionsOf(carol)).map(({ methods }) => methods)).toEqual([['hwk', 'user']]);
  });

  it('the session was ended elsewhere: the page forgets it and offers to sign in', async () => {
    const dave = await withPasskey('dave');
    await click('Sign in with a passkey');
    await says('Signed in by passkey.');
    // The last thing that the page asks for after a sign-in.
    await page.locator('#passkeys li').waitFor();
    await app.sql(
      `UPDATE sessions SET ended_at = now(), end_reason = 'ended-by-administrator' WHERE user_id = $1 AND ` +
        'ended_at IS NULL',
      [dave.userId],
    );
    app.clock.advance(3);
    await click('Add a passkey');
    await page.locator('#message.fault').waitFor();
    expect([await page.locator('#signed-in').isVisible(), await page.locator('#signed-out').isVisible()]).toEqual([
      false,
      true,
    ]);
    await click('Sign in with a passkey');
    await says('Signed in by passkey.');
  });

  it('the same device is not registered twice', async () => {
    await withPasskey('dora');
    await click('Sign in with a passkey');
    await says('Signed in by passkey.');
    await click('Add a passkey');
    await says(/already|registered|excluded/i);
    expect(await page.locator('#message.fault').count()).toBe(1);
    expect(await page.locator('#passkeys li').count()).toBe(1);
  });
});

describe('attacks in a real browser', () => {
  it('a thief has the device, but neither PIN nor finger: the browser gives nothing, no session', async () => {
    const erin = await withPasskey('erin');
    await device.cdp.send('WebAuthn.setUserVerified', {
      authenticatorId: device.authenticatorId,
      isUserVerified: false,
    });
    await click('Sign in with a passkey');
    await page.locator('#message.fault').waitFor();
    expect(await sessionsOf(erin)).toEqual([]);
  });

  it('the page is shown under another host name (phishing): the browser gives it no passkey', async () => {
    const frank = await withPasskey('frank');
    await page.goto(`${origin.replace('localhost', '127.0.0.1')}/docs/passkeys`);
    await click('Sign in with a passkey');
    await page.locator('#message.fault').waitFor();
    expect(await sessionsOf(frank)).toEqual([]);
  });

  it('a copy of the key, made before the last sign-in, is used: refused, and recorded for the owner', async () => {
    const gina = await withPasskey('gina');
    const { credentials } = await device.cdp.send('WebAuthn.getCredentials', {
      authenticatorId: device.authenticatorId,
    });
    await click('Sign in with a passkey');
    await says('Signed in by passkey.');
    await click('Sign out');
    await says('Signed out.');
    await device.cdp.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId: device.authenticatorId });
    const { cdp, authenticatorId } = await plugIn(page);
    for (const credential of credentials) await cdp.send('WebAuthn.addCredential', { authenticatorId, credential });
    await click('Sign in with a passkey');
    await says('The passkey was not accepted.');
    await app.auditEvent('authn_factor_fail', ({ target_id }) => target_id === gina.userId);
    expect(await sessionsOf(gina)).toEqual([]);
  });
});
