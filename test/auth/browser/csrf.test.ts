import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isFromOwnPage } from '../../../src/auth/browser/own-pages.js';
import { CONFIG, type Config } from '../../../src/config/index.js';
import { signUp, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import type { Answer } from '../../support/http.js';
import { cookieOf, listedOrigin, refreshInBrowser, signInBrowser } from './browser.js';

// Everything that a browser, or somebody who is none, can say of a request with the cookie, in one table.
const sites = [
  'absent',
  'none',
  'same-origin',
  'same-site',
  'cross-site',
  'same-origin, cross-site',
  'SAME-ORIGIN',
] as const;
const origins = ['absent', 'own', 'listed', 'foreign', 'null', 'prefix'] as const;
const types = [
  'application/json',
  'application/json; charset=utf-8',
  'text/plain',
  'application/x-www-form-urlencoded',
  'absent',
] as const;
type Site = (typeof sites)[number];
type Origin = (typeof origins)[number];
type ContentType = (typeof types)[number];

/** Which pages may use the cookie: these, and no others. */
const allowed: readonly (readonly [Site, Origin])[] = [
  ['same-origin', 'absent'],
  ['same-origin', 'own'],
  ['none', 'own'],
  ['absent', 'own'],
  ['same-site', 'listed'],
  ['cross-site', 'listed'],
  ['none', 'listed'],
  ['absent', 'listed'],
];
const mayUse = (site: Site, origin: Origin): boolean =>
  allowed.some(([one, other]) => one === site && other === origin);
const isJson = (type: ContentType): boolean => type.startsWith('application/json');

const ownOrigin = 'https://api.example.org';
const spelled = (own: string): Readonly<Record<Exclude<Origin, 'absent'>, string>> => ({
  own,
  listed: listedOrigin,
  foreign: 'https://evil.example',
  null: 'null',
  prefix: `${listedOrigin}.evil.example`,
});

describe('which page made the request: every Sec-Fetch-Site with every Origin [ASVS 3.5.1]', () => {
  for (const site of sites) {
    it.each(origins)(`Sec-Fetch-Site ${site}, Origin %s`, (origin) => {
      const headers = {
        ...(site === 'absent' ? {} : { 'sec-fetch-site': site }),
        ...(origin === 'absent' ? {} : { origin: spelled(ownOrigin)[origin] }),
      };
      expect(isFromOwnPage(headers, { own: [ownOrigin], listed: [listedOrigin] })).toBe(mayUse(site, origin));
    });
  }
});

describe('cross-site request forgery on the routes that read the cookie [ASVS 3.5.1] [ASVS 3.5.2] [ASVS 3.5.8]', () => {
  let app: TestApp;
  let alice: Actor;
  let cookie = '';
  beforeAll(async () => {
    app = await startApp({ env: { CORS_ORIGINS: listedOrigin } });
    alice = await signUp(app, 'alice');
    ({ cookie } = await signInBrowser(app, alice));
  });
  afterAll(() => app.close());

  const own = () => `https://localhost:${app.on(0).addresses.https}`;

  function call(
    path: string,
    { site, origin, type, withCookie }: { site: Site; origin: Origin; type: ContentType; withCookie: boolean },
  ): Promise<Answer> {
    const headers = {
      ...(site === 'absent' ? {} : { 'sec-fetch-site': site }),
      ...(origin === 'absent' ? {} : { origin: spelled(own())[origin] }),
      ...(withCookie ? { cookie } : {}),
      ...(type === 'absent' ? {} : { 'content-type': type }),
    };
    return app.request('POST', path, { headers, ...(type === 'absent' ? {} : { raw: '{}' }) });
  }

  /**
   * A foreign origin is refused before all else (CORS), then the parser takes JSON only, then the cookie is looked at.
   */
  function expectedStatus(
    site: Site,
    origin: Origin,
    type: ContentType,
    { withCookie, success }: { withCookie: boolean; success: number },
  ): number {
    if (['foreign', 'null', 'prefix'].includes(origin)) return 403;
    if (type !== 'absent' && !isJson(type)) return 415;
    if (!withCookie) return 401;
    if (!isJson(type)) return 415;
    return mayUse(site, origin) ? success : 403;
  }

  it.each(sites)(
    'refreshes from a page with Sec-Fetch-Site %s: every Origin, content type, with and without the cookie',
    async (site) => {
      for (const origin of origins) {
        for (const type of types) {
          for (const withCookie of [true, false]) {
            const answer = await call('/v1/auth/refresh', { site, origin, type, withCookie });
            expect([origin, type, withCookie, answer.status]).toEqual([
              origin,
              type,
              withCookie,
              expectedStatus(site, origin, type, { withCookie, success: 200 }),
            ]);
            if (answer.status === 200) cookie = cookieOf(answer);
            // A refusal must not sign anybody out: the page of a stranger could.
            else if (withCookie) expect(answer.headers).not.toHaveProperty('set-cookie');
          }
        }
      }
      const answer = await refreshInBrowser(app, cookie);
      expect(answer.status).toBe(200);
      cookie = cookieOf(answer);
    },
  );

  it.each(sites)(
    'signs out from a page with Sec-Fetch-Site %s: every Origin, content type, with and without the cookie',
    async (site) => {
      for (const origin of origins) {
        for (const type of types) {
          for (const withCookie of [true, false]) {
            const { status } = await call('/v1/auth/logout', { site, origin, type, withCookie });
            expect([origin, type, withCookie, status]).toEqual([
              origin,
              type,
              withCookie,
              expectedStatus(site, origin, type, { withCookie, success: 204 }),
            ]);
            if (status === 204) ({ cookie } = await signInBrowser(app, alice));
          }
        }
      }
      expect(
        (
          await app.sql('SELECT id FROM sessions WHERE user_id = $1 AND ended_at IS NULL AND in_browser', [
            alice.userId,
          ])
        ).length,
      ).toBe(1);
    },
  );

  it('is told: the audit event names what the browser said, and nothing that the page chose', async () => {
    await call('/v1/auth/refresh', {
      site: 'cross-site',
      origin: 'absent',
      type: 'application/json',
      withCookie: true,
    });
    const event = await app.auditEvent(
      'malicious_cors',
      ({ details }) => (details as { origin: string }).origin === 'absent',
    );
    expect(event).toMatchObject({ outcome: 'denied', details: { origin: 'absent' } });
    await call('/v1/auth/refresh', {
      site: 'same-origin, cross-site',
      origin: 'own',
      type: 'application/json',
      withCookie: true,
    });
    await app.auditEvent(
      'malicious_cors',
      ({ details }) => (details as { site: string; origin: string }).site === 'unknown',
    );
  });

  it('calls the service by the name of PUBLIC_URL: its page is the own one', async () => {
    const { host, origin } = new URL(app.on(0).service.app.get<Config>(CONFIG, { strict: false }).publicUrl);
    const headers = { host, origin, cookie, 'content-type': 'application/json' };
    const answer = await app.request('POST', '/v1/auth/refresh', { raw: '{}', headers });
    expect(answer.status).toBe(200);
    cookie = cookieOf(answer);
  });
});
