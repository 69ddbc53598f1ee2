import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HealthChecks } from '../../../src/common/health-checks.js';
import { InternalPages } from '../../../src/common/http/internal-pages.js';
import { startSmallApp, type SmallApp } from '../small-app.js';

let app: SmallApp;
let databaseIsUp = true;
beforeAll(async () => {
  app = await startSmallApp();
  const pages = app.nest.get(InternalPages);
  pages.add('/hello', (path) => ({ status: 200, contentType: 'text/html; charset=utf-8', body: `<p>${path}</p>` }));
  pages.add('/broken', () => Promise.reject(new Error('SELECT secret FROM users')));
  app.nest
    .get(HealthChecks)
    .add('database', () => (databaseIsUp ? Promise.resolve() : Promise.reject(new Error('ECONNREFUSED 10.0.0.5'))));
});
afterAll(() => app.close());

function internal(method: string, path: string, host = `localhost:${app.internalPort}`) {
  return new Promise<{ status: number; headers: Record<string, unknown>; text: string }>((resolve, reject) => {
    const call = request(
      { host: '127.0.0.1', port: app.internalPort, method, path, headers: { host }, agent: false },
      (answer) => {
        let text = '';
        answer.on('data', (chunk: Buffer) => (text += chunk.toString()));
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text }));
      },
    );
    call.on('error', reject).end();
  });
}

describe('Internal pages have a listener of their own (practice 9.4, ASVS 13.4.5)', () => {
  it.each(['/health/live', '/health/ready', '/hello', '/'])(
    'asks the public listener for %s: 404 [A5-7] [A8-8]',
    async (path) => {
      expect((await app.request('GET', path)).status).toBe(404);
    },
  );

  it('serves pages and what is below them; the index lists them', async () => {
    expect(await internal('GET', '/hello/you?x=1')).toMatchObject({ status: 200, text: '<p>/hello/you</p>' });
    expect((await internal('GET', '/')).text).toContain('<a href="/health/ready">');
    expect(await internal('HEAD', '/hello')).toMatchObject({ status: 200, text: '' });
    expect((await internal('GET', '/hellooo')).status).toBe(404);
  });

  it.each(['evil.example', 'localhost.evil.example:9090', '169.254.169.254'])(
    'comes from a page whose name points here, Host %s (DNS rebinding): 421, nothing read',
    async (host) => {
      expect(await internal('GET', '/hello', host)).toMatchObject({ status: 421 });
    },
  );

  it.each(['localhost', '127.0.0.1', '[::1]:9090'])('is asked as %s: served', async (host) => {
    expect((await internal('GET', '/hello', host)).status).toBe(200);
  });

  it.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE'])('is called by %s: 405', async (method) => {
    expect(await internal(method, '/hello')).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } });
  });

  it('pages can run and load nothing [practice 3.3] [ASVS 3.4.3]', async () => {
    const { headers } = await internal('GET', '/hello');
    expect(headers['content-security-policy']).toBe(
      "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    expect(headers['access-control-allow-origin']).toBeUndefined();
  });

  it('a page that throws: 500 without a word about why [practice 6.4]', async () => {
    const answer = await internal('GET', '/broken');
    expect(answer.status).toBe(500);
    expect(answer.text).not.toContain('SELECT');
    // With: logging.
    await app.logLine((line) => line['error.message'] === 'SELECT secret FROM users');
  });

  it('readiness follows the checks and does not tell why', async () => {
    expect(await internal('GET', '/health/ready')).toMatchObject({
      status: 200,
      text: '{"status":"up","checks":{"database":"up"}}',
    });
    databaseIsUp = false;
    const down = await internal('GET', '/health/ready');
    databaseIsUp = true;
    expect(down).toMatchObject({ status: 503, text: '{"status":"down","checks":{"database":"down"}}' });
    expect((await internal('GET', '/health/live')).status).toBe(200);
  });

  it('a check that never ends counts as down', async () => {
    const checks = new HealthChecks();
    checks.add('slow', () => new Promise(() => undefined));
    expect(await checks.run(30)).toEqual({ status: 'down', checks: { slow: 'down' } });
  });
});
