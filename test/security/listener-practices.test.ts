import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApp, type TestApp } from '../support/app.js';

let app: TestApp;
beforeAll(async () => {
  app = await startApp({ env: { API_DOCS: 'false' } });
});
afterAll(() => app.close());

// The details are tested on a small application beside this file. Here: the table of the real one has each practice.
describe('The practices of the listener are in the table (practice 11.1)', () => {
  it('sends a form to the real service: 415, because transport is there', async () => {
    const answer = await app.request('POST', '/v1/auth/login', {
      raw: 'a=b',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
    expect(answer.status).toBe(415);
  });

  it('names a foreign host: 421, because transport is there [A8-5]', async () => {
    expect((await app.request('GET', '/v1/users/me', { headers: { host: 'evil.example' } })).status).toBe(421);
  });

  // With: headers.
  it('every answer has HSTS and a policy that runs nothing, because headers is there [practice 1.4]', async () => {
    const { headers } = await app.request('GET', '/v1/users/me');
    expect(headers['strict-transport-security']).toContain('includeSubDomains');
    expect(headers['content-security-policy']).toContain("default-src 'none'");
  });

  // With: headers.
  it('a foreign origin writes: 403, because CORS is there [A8-3]', async () => {
    const answer = await app.request('POST', '/v1/auth/login', {
      body: {},
      headers: { origin: 'https://evil.example' },
    });
    expect(answer.status).toBe(403);
  });

  it('an unknown route and an unsupported method are problems with an id [practice 6.1]', async () => {
    const unknown = await app.request('GET', '/nothing');
    expect(unknown.body).toMatchObject({ type: '/problems/not-found', requestId: unknown.headers['x-request-id'] });
    expect(await app.request('PUT', '/v1/auth/login')).toMatchObject({
      status: 405,
      headers: { allow: 'OPTIONS, POST' },
    });
  });

  // With: logging.
  it('every answer has a line in the log under its id, because logging is there [practice 10.1]', async () => {
    const { headers } = await app.request('GET', '/nothing');
    for (let attempt = 0; attempt < 50 && !app.logText().includes(headers['x-request-id'] ?? ''); attempt++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(app.logs()).toContainEqual(
      expect.objectContaining({ 'http.request.id': headers['x-request-id'], 'http.response.status_code': 404 }),
    );
  });

  it.each([
    '/docs',
    '/openapi.json',
    '/docs/swagger-ui.css',
    '/.env',
    '/.git/HEAD',
    '/package.json',
    '/metrics',
    '/dist/main.js.map',
    '/',
  ])('fetches %s where the docs are off: 404 [A8-8] [ASVS 13.4.5] [ASVS 13.4.7]', async (path) => {
    expect((await app.request('GET', path)).status).toBe(404);
  });
});
