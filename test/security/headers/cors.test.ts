import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../../src/config/index.js';
import { startSmallApp, type SmallApp } from '../small-app.js';

let app: SmallApp;
const allowed = 'https://app.example.org';
beforeAll(async () => {
  app = await startSmallApp({ env: { CORS_ORIGINS: `${allowed},https://admin.example.org:8443` } });
});
afterAll(() => app.close());

const preflight = (origin: string, method: string, path = '/things', headers = 'authorization,content-type') =>
  app.request('OPTIONS', path, {
    headers: { origin, 'access-control-request-method': method, 'access-control-request-headers': headers },
  });

const foreign = [
  'https://evil.example',
  'null',
  'http://app.example.org',
  'https://app.example.org.evil.example',
  'https://evil-app.example.org',
  'https://evil.app.example.org',
  'https://app.example.org:8443',
  'https://admin.example.org',
  'https://APP.example.org',
  'https://app.example.org/',
  'https://app.example.org, https://evil.example',
  'https://app_example.org',
  'https://appXexample.org',
  'https://localhost.evil.example',
  'file://',
  '*',
];

describe('Other origins (practice 8.1, ASVS 3.4.2, abuse case A8-3)', () => {
  it.each(foreign)(
    '%s asks by preflight: 403, no allow header, nothing reflected [A8-3] [practice 8.3]',
    async (origin) => {
      const answer = await preflight(origin, 'POST');
      expect(answer).toMatchObject({ status: 403, body: { type: '/problems/forbidden' } });
      expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control-'))).toEqual([]);
      expect(answer.text).not.toContain(origin === '*' ? 'access-control' : origin);
    },
  );

  it.each(foreign)('%s reads: the browser gets no permission to show the answer [A8-3]', async (origin) => {
    const answer = await app.request('GET', '/things', { headers: { origin, cookie: 'session=1' } });
    expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control-'))).toEqual([]);
  });

  it.each(['POST', 'PATCH', 'DELETE'])(
    'writes by %s without a preflight, with a cookie: refused before the handler [A8-3] [ASVS 3.5.1]',
    async (method) => {
      const answer = await app.request(method, method === 'POST' ? '/things' : '/things/1', {
        headers: { origin: 'https://evil.example', cookie: 'session=1' },
      });
      expect(answer).toMatchObject({ status: 403, body: { type: '/problems/forbidden' } });
    },
  );

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'])(
    'sends a form that needs no preflight, %s: refused even from an allowed origin [A8-3] [ASVS 3.5.2]',
    async (type) => {
      expect(
        (await app.request('POST', '/things', { raw: '{}', headers: { 'origin': allowed, 'content-type': type } }))
          .status,
      ).toBe(415);
    },
  );
});

describe('Allowed origins (practice 8.2)', () => {
  it.each([
    ['/things', 'GET', 'GET, HEAD, POST', 'authorization, if-none-match'],
    ['/things', 'POST', 'GET, HEAD, POST', 'authorization, content-type, idempotency-key'],
    ['/things/1', 'PATCH', 'DELETE, GET, HEAD, PATCH', 'authorization, content-type, if-match'],
    ['/things/1', 'DELETE', 'DELETE, GET, HEAD, PATCH', 'authorization, content-type, if-match'],
  ])(
    'preflight for %s %s: exactly the methods of the route and the headers of the method [practice 8.2]',
    async (path, method, methods, headers) => {
      const answer = await preflight(allowed, method, path);
      expect(answer).toMatchObject({
        status: 204,
        headers: {
          'access-control-allow-origin': allowed,
          'access-control-allow-methods': methods,
          'access-control-allow-headers': headers,
          'access-control-max-age': '600',
          'vary': 'Origin, Access-Control-Request-Method',
        },
      });
      expect(answer.headers).not.toHaveProperty('access-control-allow-credentials');
    },
  );

  it('asks for a method that the route lacks: the answer does not list it', async () => {
    expect((await preflight(allowed, 'PUT')).headers['access-control-allow-methods']).toBe('GET, HEAD, POST');
  });

  it('asks for an unknown path: 404, as for everybody', async () => {
    expect((await preflight(allowed, 'GET', '/nothing')).status).toBe(404);
  });

  it('reads and writes: the answer is for that origin, and caches know', async () => {
    const answer = await app.request('POST', '/things', { body: { a: 1 }, headers: { origin: allowed } });
    expect(answer).toMatchObject({
      status: 201,
      headers: { 'access-control-allow-origin': allowed, 'vary': 'Origin' },
    });
    expect(answer.headers['access-control-expose-headers']).toContain('x-request-id');
  });

  it('an error can be read by the page as well', async () => {
    const answer = await app.request('GET', '/nothing', { headers: { origin: allowed } });
    expect(answer).toMatchObject({ status: 404, headers: { 'access-control-allow-origin': allowed } });
  });

  it('the second origin of the list has its port', async () => {
    expect((await preflight('https://admin.example.org:8443', 'GET')).status).toBe(204);
  });

  it('a page of the service itself calls it: served', async () => {
    const origin = `https://localhost:${app.port}`;
    expect((await app.request('POST', '/things', { body: {}, headers: { origin } })).status).toBe(201);
  });

  it.each(['https://evil.localhost', 'https://evillocalhost', 'http://localhost', 'https://localhost.evil.example'])(
    'a page at %s, which only resembles the address of the service, writes: 403, nothing allowed [A8-3]',
    async (start) => {
      const answer = await app.request('POST', '/things', { body: {}, headers: { origin: `${start}:${app.port}` } });
      expect(answer).toMatchObject({ status: 403, body: { type: '/problems/forbidden' } });
      expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
    },
  );

  it('OPTIONS without Origin: 204 with Allow, or 404', async () => {
    expect(await app.request('OPTIONS', '/things')).toMatchObject({
      status: 204,
      headers: { allow: 'GET, HEAD, OPTIONS, POST' },
    });
    expect((await app.request('OPTIONS', '/nothing')).status).toBe(404);
  });
});

describe('The configuration takes exact https origins only (practice 8.1)', () => {
  it.each([
    '*',
    'null',
    'http://app.example.org',
    'https://*.example.org',
    'https://app.example.org/',
    'app.example.org',
    'https://app.example.org/path',
  ])('CORS_ORIGINS=%s stops the boot [A8-6]', (value) => {
    expect(() => readConfig({ CORS_ORIGINS: value })).toThrow(/CORS_ORIGINS/);
  });
});
