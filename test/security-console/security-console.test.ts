import { request as httpRequest, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Config } from '../../src/config/index.js';
import { InternalPages } from '../../src/common/http/internal-pages.js';
import { Observations } from '../../src/security-console/observations.js';
import { SecurityConsolePage } from '../../src/security-console/security-console.page.js';
import { Alerts } from '../../src/common/events/alerts.js';
import { signUp } from '../support/actors.js';
import { startApp, type TestApp } from '../support/app.js';

let app: TestApp;
beforeAll(async () => {
  app = await startApp({ instances: 1 });
});
afterAll(() => app.close());

interface News {
  readonly seconds: readonly Record<string, number>[];
  readonly alerts: readonly { readonly rule: string }[];
  readonly events: readonly { readonly event: string; readonly count: number }[];
  readonly measures?: readonly { readonly name: string }[];
}

const open = (path: string, of = app): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const port = of.on(0).addresses.internal;
    httpRequest({ host: '127.0.0.1', port, path }, resolve).on('error', reject).end();
  });
async function read(path: string, of = app) {
  const answer = await open(path, of);
  let text = '';
  for await (const chunk of answer) text += String(chunk);
  return { status: answer.statusCode, headers: answer.headers, text };
}
/** What the page hears, message by message. */
async function* follow(): AsyncGenerator<News, void> {
  const answer = await open('/console/live');
  let text = '';
  try {
    for await (const chunk of answer) {
      text += String(chunk);
      for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
        yield JSON.parse(text.slice('data: '.length, end)) as News;
        text = text.slice(end + 2);
      }
    }
  } finally {
    answer.destroy();
  }
}
async function first(matches: (news: News) => boolean): Promise<News> {
  for await (const news of follow()) if (matches(news)) return news;
  throw new Error('the console said nothing more');
}

describe('the security console shows what happens while it happens [practice 10.3]', () => {
  it('rates, failed sign-ins, events and measures of this moment', async () => {
    const alice = await signUp(app, 'alice');
    const body = { email: alice.email, password: 'this is not the one at all' };
    expect((await app.request('POST', '/v1/auth/login', { body })).status).toBe(401);
    const news = await first(({ seconds }) => seconds.some(({ failedSignIns = 0 }) => failedSignIns > 0));
    expect(news.seconds.some(({ refused = 0 }) => refused > 0)).toBe(true);
    expect(news.events).toContainEqual({ event: 'authn_login_fail denied', count: 1 });
    const { measures = [] } = await first((one) => one.measures !== undefined);
    expect(measures.map(({ name }) => name)).toContain('tls_certificate_left_seconds');
  });

  it('an alert, on the page that is open already', async () => {
    const seen = first(({ alerts }) => alerts.some(({ rule }) => rule === 'a_drill'));
    const alert = { severity: 'info', key: 'nobody', summary: 'A drill.', details: {}, runbook: 'flood' } as const;
    const alerts = app.on(0).service.app.get(Alerts, { strict: false });
    alerts.raise({ ...alert, rule: 'a_drill', at: app.clock.now() });
    expect((await seen).alerts[0]).toMatchObject({ rule: 'a_drill', key: 'nobody' });
  });

  it('the page runs its own script and nothing else, and asks nobody else [ASVS 3.4.3]', async () => {
    const { status, headers, text } = await read('/console');
    expect([status, headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    expect(headers['content-security-policy']).toMatch(/^default-src 'none'; script-src 'self';/);
    expect(text).not.toMatch(/<script(?! type="module" src="\/console\/)|\son\w+=|https?:|style=/);
    for (const path of ['/console/console.js', '/console/console.css']) expect((await read(path)).status).toBe(200);
    expect((await read('/console/../keys.json')).status).toBe(404);
  });

  it.each([
    [true, undefined],
    [false, expect.anything()],
  ])('in production there is none, for it asks nobody who they are: %s [ASVS 13.4.2]', (production, page) => {
    const pages = new InternalPages();
    const observations = app.on(0).service.app.get(Observations, { strict: false });
    new SecurityConsolePage(observations, pages, { production } as Config).onModuleInit();
    expect(pages.find('/console')).toEqual(page);
  });

  it('the public listener knows nothing of it [ASVS 13.4.5] [A8-8]', async () => {
    for (const path of ['/console', '/console/live', '/console/console.js'])
      expect((await app.request('GET', path)).status, path).toBe(404);
  });

  it('a crowd of watchers: the eleventh is refused, and one that goes makes room', async () => {
    const watchers = await Promise.all(Array.from({ length: 10 }, () => open('/console/live')));
    await Promise.all(watchers.map((watcher) => new Promise((resolve) => watcher.once('data', resolve))));
    expect((await read('/console/live')).status).toBe(503);
    for (const watcher of watchers) watcher.destroy();
    await expect.poll(async () => (await first(() => true)) !== undefined, { timeout: 4_000 }).toBe(true);
  });
});
