import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Browser, Page } from 'playwright-core';
import { Alerts } from '../../src/common/events/alerts.js';
import { signUp } from '../support/actors.js';
import type { TestApp } from '../support/app.js';
import { launch, openPage, startForBrowser } from './chromium.js';

let app: TestApp;
let browser: Browser;
let page: Page;
let complaints: string[];

beforeAll(async () => {
  ({ app } = await startForBrowser());
  browser = await launch(app);
  const context = await browser.newContext({ colorScheme: 'dark' });
  ({ page, complaints } = await openPage(context, `http://127.0.0.1:${app.on(0).addresses.internal}/console`));
});
afterAll(async () => {
  await browser.close();
  await app.close();
});

const raise = (summary: string): void =>
  app.on(0).service.app.get(Alerts, { strict: false }).raise({
    rule: 'a_drill',
    severity: 'critical',
    key: 'nobody',
    summary,
    details: {},
    runbook: 'flood',
    at: new Date(),
  });
const background = () => page.evaluate<string>('getComputedStyle(document.body).backgroundColor');

describe('/console in Chromium [practice 10.3]', () => {
  it('draws what happens, live, under its strict policy', async () => {
    await page.getByText('Live', { exact: true }).waitFor();
    await signUp(app, 'alice');
    await expect
      .poll(() => page.getByRole('img', { name: /^Served: / }).getAttribute('aria-label'), { timeout: 5_000 })
      .toMatch(/\(highest [1-9]/);
    await page.getByText('tls_certificate_left_seconds').waitFor();
    expect(complaints).toEqual([]);
  });

  it('an alert with HTML in it is shown as it is, and runs nothing [practice 3.3]', async () => {
    raise('<img src=x onerror="document.title=1">');
    await page.getByText('<img src=x onerror="document.title=1">').waitFor();
    expect([await page.title(), await page.locator('#alert-rows img').count()]).toEqual(['Security console', 0]);
  });

  it('by keyboard: to the alerts, and pause', async () => {
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    expect(await page.evaluate<string>('document.activeElement.id')).toBe('alerts');
    await page.getByRole('button', { name: 'Pause' }).focus();
    await page.keyboard.press('Space');
    await page.getByText('Paused').waitFor();
    raise('while nobody looks');
    await page.keyboard.press('Space');
    await page.getByText('while nobody looks').waitFor();
  });

  it('dark and light, as the person has it', async () => {
    const dark = await background();
    await page.emulateMedia({ colorScheme: 'light' });
    expect(await background()).not.toBe(dark);
    if (process.env['SCREENSHOT'] !== undefined)
      await page.screenshot({ path: process.env['SCREENSHOT'], fullPage: true });
  });
});
