import { createHash, X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, type Browser, type BrowserContext, type CDPSession, type Page } from 'playwright-core';
import { startApp, type TestApp } from '../support/app.js';
import { freePort } from '../../scripts/free-port.js';

/** The service under the name and port that a browser sees, because a passkey belongs to exactly that origin. */
export async function startForBrowser(
  env: Readonly<Record<string, string>> = {},
): Promise<{ app: TestApp; origin: string }> {
  const port = await freePort();
  const origin = `https://localhost:${port}`;
  return {
    app: await startApp({
      instances: 1,
      env: { HTTPS_PORT: String(port), PUBLIC_URL: origin, API_DOCS: 'true', ...env },
    }),
    origin,
  };
}

/**
 * Real Chromium, headless. It trusts the service's key, and those of servers that a test names: WebAuthn refuses pages
 * whose certificate was waved through.
 * @param others files of certificates.
 * @throws Error that says what to install: a run that silently skips proves nothing.
 */
export function launch(app: TestApp, others: readonly string[] = []): Promise<Browser> {
  const executablePath = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium';
  if (!existsSync(executablePath)) {
    throw new Error(
      `there is no Chromium at ${executablePath}: install it (Debian: apt-get install chromium), or set CHROMIUM_PATH`,
    );
  }
  const trusted = [join(app.dataDirectory, 'tls', 'server.crt'), ...others].map(digestOfKey).join(',');
  const quiet = [
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--disable-quic',
  ];
  return chromium.launch({
    executablePath,
    args: [`--ignore-certificate-errors-spki-list=${trusted}`, '--no-sandbox', '--disable-gpu', ...quiet],
  });
}

const digestOfKey = (file: string): string =>
  createHash('sha256')
    .update(new X509Certificate(readFileSync(file)).publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64');

/** A security key of the browser's own, which always consents. */
export interface Device {
  readonly cdp: CDPSession;
  readonly authenticatorId: string;
}

/**
 * @param isUserVerified false: somebody who has the device, but not its PIN or the owner's finger.
 * @public: every user of it can be removed.
 */
export async function plugIn(page: Page, isUserVerified = true): Promise<Device> {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('WebAuthn.enable');
  const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified,
      automaticPresenceSimulation: true,
    },
  });
  return { cdp, authenticatorId };
}

/** The page, and what the browser complained about on it. */
export async function openPage(context: BrowserContext, url: string): Promise<{ page: Page; complaints: string[] }> {
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => void (message.type() === 'error' && complaints.push(message.text())));
  page.on('pageerror', (error) => void complaints.push(error.message));
  await page.goto(url);
  return { page, complaints };
}
