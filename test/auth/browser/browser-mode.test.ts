import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signIn, signUp, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { documentOf, routesOf } from '../../support/open-api.js';
import { SampleFactorModule } from '../../support/sample/sample-factor.module.js';
import { enrolFactor, proveFactor } from '../../support/second-factors.js';
import { decode, flipBit } from '../forge.js';
import { cleared, cookieOf, listedOrigin, ownPage, refreshInBrowser, signInBrowser } from './browser.js';

let app: TestApp;
let alice: Actor;
beforeAll(async () => {
  app = await startApp({ modules: [SampleFactorModule], env: { CORS_ORIGINS: listedOrigin } });
  alice = await signUp(app, 'alice');
});
afterAll(() => app.close());

const me = async (token: string) => (await app.request('GET', '/v1/users/me', { token })).status;
const reasonOf = async (token: string) =>
  (await app.sql('SELECT end_reason FROM sessions WHERE id = $1', [decode(token).payload['sid']]))[0]?.['end_reason'];

describe('browser mode: the refresh token is in a cookie that no script reads (ASVS V3.3) [practice 2.5]', () => {
  it('signs in: exactly these attributes [ASVS 3.3.1] [ASVS 3.3.2] [ASVS 3.3.3] [ASVS 3.3.4]', async () => {
    const { answer, cookie } = await signInBrowser(app, alice);
    expect(answer.headers['set-cookie']).toMatch(
      /^__Host-refresh=[\w.-]+; Path=\/; HttpOnly; Secure; SameSite=Strict$/,
    );
    expect(answer.body.refreshToken).toBeNull();
    const value = cookie.slice(cookie.indexOf('=') + 1);
    for (const part of value.split('.')) if (part.length > 20) expect(answer.text).not.toContain(part);
    expect(app.logText()).not.toContain(value);
  });

  it('is far from the size that browsers cut off [ASVS 3.3.5]', async () => {
    expect(Buffer.byteLength((await signInBrowser(app, alice)).answer.headers['set-cookie'] ?? '')).toBeLessThan(400);
  });

  it('an honest page refreshes again and again, on every instance, with the newest cookie', async () => {
    let { cookie } = await signInBrowser(app, alice);
    for (let round = 0; round < 4; round++) {
      const answer = await refreshInBrowser(app, cookie, round);
      expect([answer.status, answer.body.refreshToken]).toEqual([200, null]);
      expect(cookieOf(answer)).not.toBe(cookie);
      expect(await me(answer.body.accessToken)).toBe(200);
      cookie = cookieOf(answer);
    }
  });

  it('two tabs of one browser, 50 times in parallel on all instances: one successor, no error [A2-4]', async () => {
    const { cookie } = await signInBrowser(app, alice);
    const answers = await Promise.all(Array.from({ length: 50 }, (_, index) => refreshInBrowser(app, cookie, index)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(answers.map(cookieOf)).size).toBe(1);
  });

  it('replays a stale cookie after the grace: 401, cleared, the session dies [A2-4] [ASVS 10.4.5]', async () => {
    const { cookie, token } = await signInBrowser(app, alice);
    const second = await refreshInBrowser(app, cookie);
    app.clock.advance(11);
    const replayed = await refreshInBrowser(app, cookie);
    expect([replayed.status, replayed.headers['set-cookie']]).toEqual([401, cleared]);
    expect((await refreshInBrowser(app, cookieOf(second))).status).toBe(401);
    expect(await reasonOf(token)).toBe('refresh-token-reuse');
  });

  it('sends a forged cookie, one of another prefix or none: 401, cleared [ASVS 3.3.3]', async () => {
    const { cookie, token } = await signInBrowser(app, alice);
    const value = cookie.slice(cookie.indexOf('=') + 1);
    const others = [
      '__Secure-refresh',
      'refresh',
      '__host-refresh',
      '__HOST-REFRESH',
      '__Host-refresh2',
      'x__Host-refresh',
    ].map((name) => `${name}=${value}`);
    for (const forged of [
      `__Host-refresh=${flipBit(value)}`,
      '__Host-refresh=',
      '__Host-refresh=x.y',
      `__Host-refresh="${value}"`,
      ...others,
      'a=b',
    ]) {
      const { status, headers } = await refreshInBrowser(app, forged);
      expect([forged.split('=')[0], status, headers['set-cookie']]).toEqual([forged.split('=')[0], 401, cleared]);
    }
    expect((await refreshInBrowser(app, cookie)).status).toBe(200);
    expect(await me(token)).toBe(200);
  });

  it('sends two refresh tokens: refused, and neither is used', async () => {
    const { cookie } = await signInBrowser(app, alice);
    const { refreshToken } = await signIn(app, alice);
    const both = await app.request('POST', '/v1/auth/refresh', {
      body: { refreshToken },
      headers: { ...ownPage(app), cookie },
    });
    expect([both.status, both.headers['set-cookie']]).toEqual([400, undefined]);
    const twice = await refreshInBrowser(app, `${cookie}; ${cookie}`);
    expect([twice.status, twice.headers['set-cookie']]).toEqual([400, undefined]);
    expect((await refreshInBrowser(app, cookie)).status).toBe(200);
    expect((await app.request('POST', '/v1/auth/refresh', { body: { refreshToken } })).status).toBe(200);
  });

  it('moves a token out of the cookie into a body, or into one: 401 [ASVS 3.3.4]', async () => {
    const { cookie, token } = await signInBrowser(app, alice);
    const refreshToken = cookie.slice(cookie.indexOf('=') + 1);
    const out = await app.request('POST', '/v1/auth/refresh', { body: { refreshToken } });
    expect([out.status, out.headers['set-cookie']]).toEqual([401, undefined]);
    const bearer = await signIn(app, alice);
    const planted = await refreshInBrowser(app, `__Host-refresh=${bearer.refreshToken}`);
    expect([planted.status, planted.headers['set-cookie']]).toEqual([401, cleared]);
    expect([await me(token), await me(bearer.token)]).toEqual([200, 200]);
    await app.auditEvent(
      'authn_token_fail',
      ({ details }) => (details as { reason: string }).reason === 'refresh-token-misplaced',
    );
  });

  it('opens nothing but its two routes: the cookie alone is nobody elsewhere', async () => {
    const { cookie } = await signInBrowser(app, alice);
    for (const path of ['/v1/users/me', '/v1/auth/sessions', '/v1/users/me/export']) {
      expect((await app.request('GET', path, { headers: { ...ownPage(app), cookie } })).status).toBe(401);
    }
  });
});

describe('browser mode: sign-in and sign-out', () => {
  it('signs out by the cookie alone: 204, all is refused [ASVS 7.4.1] [ASVS 14.3.1]', async () => {
    const { cookie, token } = await signInBrowser(app, alice);
    app.clock.advance(301);
    const answer = await app.request('POST', '/v1/auth/logout', { headers: { ...ownPage(app), cookie } });
    expect([answer.status, answer.headers['set-cookie'], answer.headers['clear-site-data']]).toEqual([
      204,
      cleared,
      '"cache", "cookies", "storage"',
    ]);
    expect(await reasonOf(token)).toBe('logout');
    expect((await refreshInBrowser(app, cookie)).status).toBe(401);
    const again = await app.request('POST', '/v1/auth/logout', { headers: { ...ownPage(app), cookie } });
    expect([again.status, again.headers['set-cookie']]).toEqual([401, cleared]);
  });

  it('signs out with access token and cookie: both sessions end, if they are two', async () => {
    const { cookie, token } = await signInBrowser(app, alice);
    const other = await signIn(app, alice);
    const { status } = await app.request('POST', '/v1/auth/logout', {
      token: other.token,
      headers: { ...ownPage(app), cookie },
    });
    expect(status).toBe(204);
    expect([await reasonOf(token), await reasonOf(other.token)]).toEqual(['logout', 'logout']);
  });

  it('signs out with a forged cookie and nothing else: 401, nobody is signed out', async () => {
    const { cookie, token } = await signInBrowser(app, alice);
    const { status } = await app.request('POST', '/v1/auth/logout', {
      headers: { ...ownPage(app), cookie: `__Host-refresh=${flipBit(cookie.slice(cookie.indexOf('=') + 1))}` },
    });
    expect([status, await me(token)]).toEqual([401, 200]);
  });

  it('somebody else signs in at the browser: the session of the old cookie ends [ASVS 7.2.4]', async () => {
    const first = await signInBrowser(app, alice);
    const mallory = await signUp(app, 'bob');
    const body = { email: mallory.email, password: mallory.password, inBrowser: true };
    const { status } = await app.request('POST', '/v1/auth/login', {
      body,
      headers: { ...ownPage(app), cookie: first.cookie },
    });
    expect([status, await reasonOf(first.token)]).toEqual([200, 'new-login']);
  });

  it('signs in again to step up, without inBrowser: no token in the body all the same', async () => {
    const { token } = await signInBrowser(app, alice);
    const { body, headers } = await app.request('POST', '/v1/auth/login', {
      token,
      body: { email: alice.email, password: alice.password },
    });
    expect([body.refreshToken, headers['set-cookie']]).toEqual([null, expect.stringMatching(/^__Host-refresh=/)]);
  });

  it('proves the second factor in the browser: no cookie before, no token in the body [A2-6]', async () => {
    const bob = await signUp(app, 'bob');
    await enrolFactor(app, bob);
    const half = await signInBrowser(app, bob);
    expect([half.answer.body.refreshToken, half.answer.headers['set-cookie'], half.answer.body.secondFactors]).toEqual([
      null,
      undefined,
      expect.arrayContaining(['sample']),
    ]);
    const whole = await proveFactor(app, half.token);
    expect([whole.status, whole.body.refreshToken]).toEqual([200, null]);
    expect((await refreshInBrowser(app, cookieOf(whole))).status).toBe(200);
  });

  it('ends all sessions from the browser: the cookie goes too', async () => {
    const { token } = await signInBrowser(app, alice);
    const answer = await app.request('DELETE', '/v1/auth/sessions', { token });
    expect([answer.status, answer.headers['set-cookie']]).toEqual([204, cleared]);
  });

  it.each(['true', 1, null, {}])('inBrowser is %j: 422, no session', async (inBrowser) => {
    const { status, headers } = await app.request('POST', '/v1/auth/login', {
      body: { email: alice.email, password: alice.password, inBrowser },
    });
    expect([status, headers['set-cookie']]).toEqual([422, undefined]);
  });
});

describe('credentials mode for pages of listed origins, where a cookie travels and nowhere else [practice 8.2]', () => {
  const preflight = (path: string, method: string, origin = listedOrigin) =>
    app.request('OPTIONS', path, {
      headers: { origin, 'access-control-request-method': method, 'access-control-request-headers': 'content-type' },
    });
  const someId = '00000000-0000-7000-8000-000000000000';

  /** Whether an answer of that form can hold a refresh token, at whatever depth. */
  function holdsRefreshToken(schema: unknown, schemas: Record<string, unknown>): boolean {
    if (typeof schema !== 'object' || schema === null) return false;
    const { $ref, properties } = schema as { $ref?: string; properties?: object };
    if ($ref !== undefined) return holdsRefreshToken(schemas[$ref.split('/').at(-1) ?? ''], schemas);
    if (properties !== undefined && 'refreshToken' in properties) return true;
    return Object.values(schema).some((part) => holdsRefreshToken(part, schemas));
  }

  const setsCookie = (responses: object): boolean =>
    Object.values(responses as Record<string, { headers?: object }>).some(
      ({ headers = {} }) => 'Set-Cookie' in headers,
    );

  it('exactly the routes that set or clear a cookie allow credentials [A8-3]', async () => {
    const document = documentOf(app);
    const clearing = ['POST /v1/auth/logout', 'DELETE /v1/auth/sessions', 'DELETE /v1/auth/sessions/{id}'];
    const operations = routesOf(document);
    const expected = operations.filter(
      ({ path, method, responses }) =>
        clearing.includes(`${method} ${path}`) ||
        setsCookie(responses) ||
        holdsRefreshToken(responses, document.components?.schemas ?? {}),
    );
    const seen: string[] = [];
    for (const operation of operations) {
      const { headers } = await preflight(operation.path.replaceAll(/\{\w+\}/g, someId), operation.method);
      expect([operation.path, headers['access-control-allow-origin']]).toEqual([operation.path, listedOrigin]);
      if (headers['access-control-allow-credentials'] === 'true') seen.push(`${operation.method} ${operation.path}`);
    }
    expect(seen).toEqual(expected.map(({ method, path }) => `${method} ${path}`));
    expect(expected.length).toBeGreaterThan(clearing.length + 2);
  });

  it('the answers say the same as the preflights', async () => {
    const allowing = await app.request('POST', '/v1/auth/refresh', { body: {}, headers: { origin: listedOrigin } });
    expect(allowing.headers).toMatchObject({
      'access-control-allow-origin': listedOrigin,
      'access-control-allow-credentials': 'true',
    });
    for (const [method, path] of [
      ['GET', '/v1/users/me'],
      ['GET', '/v1/auth/sessions'],
      ['GET', '/v1/auth/refresh'],
      ['PATCH', '/v1/users/me'],
      ['GET', '/nothing'],
    ] as const) {
      const { headers } = await app.request(method, path, { headers: { origin: listedOrigin } });
      expect(headers).not.toHaveProperty('access-control-allow-credentials');
    }
  });

  it('a foreign origin asks for it: 403, no allow header [A8-3]', async () => {
    const { status, headers } = await preflight('/v1/auth/refresh', 'POST', 'https://evil.example');
    expect([status, Object.keys(headers).filter((name) => name.startsWith('access-control'))]).toEqual([403, []]);
  });
});
