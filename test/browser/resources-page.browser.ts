import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signIn, signUp, type Actor } from '../support/actors.js';
import type { TestApp } from '../support/app.js';
import { createResource } from '../resources/support.js';
import { launch, openPage, startForBrowser } from './chromium.js';
import { honest, payloads } from './xss-payloads.js';

// What people store is rendered by real Chromium on the page that the service serves: with both layers (sanitiser, and
// policy of the page), with each alone, and with none, which shows that the attacks are real.

let app: TestApp;
let origin: string;
let browser: Browser;
let alice: Actor;

beforeAll(async () => {
  ({ app, origin } = await startForBrowser({ RATE_LIMIT_SCALE: '100' }));
  browser = await launch(app);
  alice = await signUp(app, 'alice');
  for (const [title, body] of Object.entries(payloads)) await createResource(app, alice, { title, body });
  await createResource(app, alice, { title: 'honest', body: honest });
});
afterAll(async () => {
  await browser?.close();
  await app?.close();
});

interface Seen {
  /** Payloads that ran a script. */
  readonly ran: Set<string>;
  /** What was asked of another host. */
  readonly left: Set<string>;
}

interface Taken {
  readonly policy?: boolean;
  readonly sanitiser?: boolean;
}

/**
 * Parses as a page without a sanitiser would do it. A fragment of a range runs the scripts in it, which `innerHTML`
 * would not.
 */
const noSanitiser = `
const policy = trustedTypes.createPolicy('dompurify', { createHTML: (text) => text });
const parse = (html) => document.createRange().createContextualFragment(html);
globalThis.DOMPurify = { addHook() {}, sanitize: (text) => parse(policy.createHTML(text)) };
`;

/** A browser of its own, where a script that runs, a dialog, and a request to another host are noticed. */
async function enter(
  { policy = false, sanitiser = false }: Taken,
  current: () => string,
): Promise<{ context: BrowserContext; seen: Seen }> {
  const context = await browser.newContext();
  const [ran, left] = [new Set<string>(), new Set<string>()];
  await context.exposeBinding('canary', () => void ran.add(current()));
  // What the policy stops never gets here.
  await context.route(
    (url) => url.origin !== origin && url.protocol.startsWith('http'),
    (route) => {
      left.add(route.request().url());
      return route.abort();
    },
  );
  if (sanitiser)
    await context.route('**/docs/purify.js', (route) =>
      route.fulfill({ contentType: 'text/javascript', body: noSanitiser }),
    );
  if (policy) {
    const { text } = await app.request('GET', '/docs/resources');
    await context.route('**/docs/resources', (route) =>
      route.fulfill({ contentType: 'text/html; charset=utf-8', body: text }),
    );
  }
  context.on('dialog', (dialog) => {
    ran.add(current());
    return dialog.dismiss();
  });
  return { context, seen: { ran, left } };
}

/** The page, signed in with a token: pages are opened more often than anybody may sign in. */
async function opened(context: BrowserContext, token: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(`${origin}/docs/resources`);
  await page.getByLabel('Access token').fill(token);
  await page.getByRole('button', { name: 'Use the token' }).click();
  await page.locator('#resources button').first().waitFor();
  return page;
}

async function show(page: Page, title: string): Promise<void> {
  await page.getByRole('button', { name: title, exact: true }).dispatchEvent('click', {}, { timeout: 2_000 });
  await page
    .locator('#message')
    .filter({ hasText: `Shown: ${title}` })
    .waitFor({ timeout: 2_000 });
}

/** Does to everything that was rendered what a reader might do, and tells its elements and attributes. */
const touch = (page: Page): Promise<string[]> =>
  page.evaluate(`[...document.querySelectorAll('#body *')].flatMap((element) => {
    for (const type of ['mouseover', 'mouseenter', 'pointerenter', 'focus', 'focusin', 'toggle'])
      element.dispatchEvent(new Event(type));
    // A link to a page opens it; one to a script runs it.
    if (!element.matches('a[href^="http" i], a[target]')) element.click?.();
    const attributes = element
      .getAttributeNames()
      .map((name) => name + '=' + (name === 'href' ? element.getAttribute(name) : ''));
    return [element.nodeName.toLowerCase(), ...attributes];
  })`);

/** Renders every payload. One that spoils the page, or takes it away, gets the next one a new page. */
async function attack(taken: Taken): Promise<Seen & { readonly markup: ReadonlySet<string> }> {
  let title = '';
  const { token } = await signIn(app, alice);
  const { context, seen } = await enter(taken, () => title);
  const markup = new Set<string>();
  let page = await opened(context, token);
  for (title of Object.keys(payloads)) {
    const isShown = await show(page, title).then(
      () => true,
      () => false,
    );
    if (!isShown) {
      await page.close();
      page = await opened(context, token);
      await show(page, title).catch(() => undefined);
    }
    await touch(page).then(
      (found) => found.forEach((one) => markup.add(one)),
      () => undefined,
    );
    await new Promise((resolve) => setTimeout(resolve, 60));
  }
  // What is slow to load, or to leave, is seen as well.
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  await context.close();
  return { ...seen, markup };
}

describe('Markdown that somebody else wrote [practice 3.3] [ASVS 1.3.1] [ASVS 1.2.1]', () => {
  it('no payload runs a script, opens a dialog or reaches another host', async () => {
    const { ran, left, markup } = await attack({});
    expect(Object.keys(payloads).length).toBeGreaterThanOrEqual(60);
    expect([[...ran], [...left]]).toEqual([[], []]);
    expect(
      [...markup].filter(
        (one) =>
          !/^(?:h[1-6]|p|br|hr|blockquote|[uo]l|li|pre|code|strong|em|del|a|table|thead|tbody|t[rhd])$/.test(one) &&
          !one.includes('='),
      ),
    ).toEqual([]);
    expect(
      [...markup].filter(
        (one) =>
          one.includes('=') && !/^(?:href=(?:https?:\/\/|mailto:).*|(?:title|align|start|rel|target)=)$/.test(one),
      ),
    ).toEqual([]);
  }, 120_000);

  it('the policy of the page is taken away: the sanitiser alone holds all of it', async () => {
    const { ran, left } = await attack({ policy: true });
    expect([[...ran], [...left]]).toEqual([[], []]);
  }, 120_000);

  it('without the sanitiser the policy alone runs no script, and lets the whole page be redirected only', async () => {
    const { ran, left } = await attack({ sanitiser: true });
    expect([...ran]).toEqual([]);
    // No directive stops a page from navigating itself away: that is left to the sanitiser.
    expect([...left].filter((url) => url !== 'https://evil.example/refresh')).toEqual([]);
  }, 120_000);

  it('both are taken away: the attacks are real', async () => {
    const { ran, left } = await attack({ policy: true, sanitiser: true });
    expect(ran.size).toBeGreaterThanOrEqual(35);
    expect(left.size).toBeGreaterThanOrEqual(6);
  }, 120_000);
});

describe('honest Markdown', () => {
  it('is rendered: headings, lists, code, quotes, tables; links open elsewhere and tell nothing', async () => {
    const { context, seen } = await enter({}, () => 'honest');
    const { page, complaints } = await openPage(context, `${origin}/docs/resources`);
    await page.getByLabel('E-mail address').fill(alice.email);
    await page.getByLabel('Password').fill(alice.password);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.locator('#resources button').first().waitFor();
    await show(page, 'honest');
    const body = page.locator('#body');
    expect(await body.locator('h1').textContent()).toBe('Minutes');
    expect(await body.locator('ul li').allTextContents()).toEqual(['first', 'second']);
    expect(await body.locator('pre code').textContent()).toBe('if (a < b && c > d) alert("text");\n');
    expect(await body.locator('td').allTextContents()).toEqual(['a', '1']);
    expect(await body.locator('td[align="right"], blockquote, ol li, em, strong, del').count()).toBe(6);
    const link = body.locator('a').first();
    expect([
      await link.getAttribute('href'),
      await link.getAttribute('rel'),
      await link.getAttribute('target'),
      await link.getAttribute('title'),
    ]).toEqual(['https://example.org/a?b=c&d', 'noopener noreferrer nofollow', '_blank', 'there']);
    expect(await body.locator('a').last().getAttribute('href')).toBe('mailto:office@example.org');
    expect([...seen.ran, ...seen.left, ...complaints]).toEqual([]);
    await context.close();
  });

  it('a pasted token does as well, and whatever is not sanitised is refused by the browser', async () => {
    const { context } = await enter({}, () => 'honest');
    const page = await opened(context, (await signIn(app, alice)).token);
    await show(page, 'honest');
    const refused = await page.evaluate(`(() => {
      try {
        document.body.innerHTML = '<p>x</p>';
        return 'taken';
      } catch (error) {
        return error.name;
      }
    })()`);
    expect(refused).toBe('TypeError');
    await context.close();
  });

  it('the API answers the body as it was given: it is JSON, and nothing in it is escaped or taken away', async () => {
    const { token } = await signIn(app, alice);
    const { id } = await createResource(app, { ...alice, token }, { title: 'raw', body: payloads['a script'] });
    const { headers, body } = await app.request('GET', `/v1/resources/${id}`, { token });
    expect([headers['content-type'], body.body]).toEqual(['application/json; charset=utf-8', payloads['a script']]);
  });
});

describe('a list of more than one page', () => {
  it('says that there is more, and shows it by a button, which then goes', async () => {
    const carol = await signUp(app, 'carol');
    for (let number = 1; number <= 101; number++) await createResource(app, carol, { title: `number ${number}` });
    const { context } = await enter({}, () => 'list');
    const page = await opened(context, carol.token);
    const [rows, message, more] = [
      page.locator('#resources button'),
      page.locator('#message'),
      page.getByRole('button', { name: 'More', exact: true }),
    ];
    expect([await rows.count(), await message.textContent(), await more.isVisible()]).toEqual([
      100,
      '100 resources, and there are more',
      true,
    ]);
    await more.click();
    await page.getByRole('button', { name: 'number 1', exact: true }).waitFor();
    expect(new Set(await rows.allTextContents()).size).toBe(101);
    expect([await message.textContent(), await more.isVisible()]).toEqual(['101 resources', false]);
    await context.close();
  }, 60_000);
});
