import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exchange } from '../raw.js';
import { startSmallApp, type SmallApp } from '../small-app.js';

let app: SmallApp;
beforeAll(async () => {
  app = await startSmallApp({ env: { PUBLIC_URL: 'https://api.example.org' } });
});
afterAll(() => app.close());

const get = (fields: string, target = '/things') =>
  exchange(app, `GET ${target} HTTP/1.1\r\n${fields}Connection: close\r\n\r\n`);
const host = 'Host: localhost\r\n';

describe('A request has one meaning for every hop (ASVS 4.2.1, 15.3.7)', () => {
  const ambiguous: [string, string][] = [
    ['a parameter twice', '/things?a=1&a=2'],
    ['a parameter twice, once encoded', '/things?a=1&%61=2'],
    ['brackets', '/things?a[]=1'],
    ['encoded brackets', '/things?a%5bb%5d=1'],
    ['a query that is not UTF-8', '/things?a=%ff'],
    ['half an escape', '/things?a=%'],
    ['a NUL in the query', '/things?a=%00'],
    ['a NUL in the path', '/things/%00'],
  ];

  it.each(ambiguous)('sends %s: 400 [A1-8]', async (_name, target) => {
    expect(await app.request('GET', target)).toMatchObject({
      status: 400,
      body: { type: '/problems/malformed-request' },
    });
  });

  it.each([
    ['two Host fields', `${host}Host: evil.example\r\n`],
    ['two Authorization fields', `${host}Authorization: Bearer a\r\nAuthorization: Bearer b\r\n`],
    ['two Content-Type fields', `${host}Content-Type: application/json\r\nContent-Type: text/plain\r\n`],
    ['a GET with a body', `${host}Content-Length: 2\r\n`],
    ['no Host', ''],
  ])('sends %s: 400 [A8-5] [ASVS 4.2.1]', async (_name, fields) => {
    const answer = await get(fields);
    expect(answer).toMatchObject({ status: 400, answers: 1 });
    // With: headers.
    expect(answer.headers['content-security-policy']).toBeDefined();
  });

  it('sends the absolute form, with another host or the right one: 400 [A8-5] [A5-2]', async () => {
    expect((await get(host, 'https://evil.example/things')).status).toBe(400);
    expect((await get(host, 'https://localhost/things')).status).toBe(400);
  });

  it('sends a target that begins with `*`: no handler [A5-2]', async () => {
    expect((await get(host, '*')).status).toBe(400);
    expect((await get(host, '*things')).status).toBe(404);
  });

  it.each([
    'evil.example',
    'localhost.evil.example',
    'localhost..',
    'api.example.org.evil.example',
    'api.example.org:8080',
    '10.0.0.1',
    'user@localhost',
    '[::2]',
    'localhost:80:80',
  ])('names the host %s: 421 [A8-5] [A9-3]', async (name) => {
    expect(await get(`Host: ${name}\r\n`)).toMatchObject({ status: 421 });
  });

  it.each([
    'localhost',
    'LOCALHOST:8443',
    '127.0.0.1:9',
    '[::1]:8443',
    'api.example.org',
    'api.example.org:443',
    'api.example.org.',
    'API.example.org.:443',
  ])('names the host %s: served', async (name) => {
    expect((await get(`Host: ${name}\r\n`)).status).toBe(200);
  });

  it('names another host or a bare address in production: 421, only the public name counts [A9-3]', async () => {
    const { createRequestRules } = await import('../../../src/security/transport/request-rules.js');
    const rules = createRequestRules({ publicUrl: 'https://api.example.org', production: true });
    const outcome = (name: string) =>
      new Promise((resolve) => {
        const raw = { url: '/', method: 'GET', headers: { host: name }, rawHeaders: ['Host', name] };
        rules({ raw } as unknown as Parameters<typeof rules>[0], undefined, resolve);
      });
    for (const name of [
      'localhost',
      '127.0.0.1',
      '[::1]',
      '203.0.113.9',
      'www.api.example.org',
      'api.example.org:8443',
    ])
      expect(await outcome(name)).toMatchObject({ type: 'misdirected-request' });
    expect(await outcome('api.example.org')).toBeUndefined();
  });

  it.each(['/Things', '/things/', '//things', '/./things', '/%2fthings', '/things;a=b', '/things%2f1'])(
    'spells a path in another way, %s: 404, never the handler [A5-2]',
    async (path) => {
      expect((await app.request('GET', path)).status).toBe(404);
    },
  );

  it.each([
    '/%74hings',
    '/thing%73',
    '/things/%31',
    '/%54hings',
    '/things/a%2Db',
    '/things/a%7Eb',
    '/things/a%5fb',
    '/%2e/things',
  ])('encodes what needs no encoding, %s: 400, never the handler [A5-2]', async (path) => {
    expect(await app.request('GET', path)).toMatchObject({
      status: 400,
      body: { type: '/problems/malformed-request' },
    });
  });

  it('encodes what has to be encoded: served', async () => {
    expect((await app.request('GET', '/things/caf%C3%A9%20%7B%40')).body).toEqual({ id: 'café {@' });
  });

  it.each([
    'xchunked',
    'identity',
    'gzip, chunked',
    'chunked, chunked',
    '"chunked"',
    'chunked;q=1',
    ', chunked',
    'x\r\nTransfer-Encoding: chunked',
    '',
  ])('names the transfer coding `%s`: 400, one answer, closed [A8-4] [ASVS 4.2.1]', async (coding) => {
    const answer = await exchange(
      app,
      `POST /things HTTP/1.1\r\n${host}Content-Type: application/json\r\nTransfer-Encoding: ` +
        `${coding}\r\n\r\n2\r\n{}\r\n0\r\n\r\n`,
    );
    expect(answer).toMatchObject({ status: 400, answers: 1, headers: { connection: 'close' } });
  });

  it.each(['chunked', 'Chunked'])('names the transfer coding `%s`: served', async (coding) => {
    const answer = await exchange(
      app,
      `POST /things HTTP/1.1\r\n${host}Content-Type: application/json\r\nConnection: ` +
        `close\r\nTransfer-Encoding: ${coding}\r\n\r\n2\r\n{}\r\n0\r\n\r\n`,
    );
    expect(answer.status).toBe(201);
  });

  it.each([
    'If-Match: "1"',
    'Idempotency-Key: a',
    'Origin: https://api.example.org',
    'Content-Encoding: identity',
    'Content-Type: application/json',
    'Authorization: Bearer a',
    'Host: localhost',
  ])('sends `%s` twice, the same or another: 400 [A8-4] [ASVS 15.3.7]', async (field) => {
    const others = field.startsWith('Host') ? '' : host;
    expect(await get(`${others}${field}\r\n${field}\r\n`)).toMatchObject({ status: 400, answers: 1 });
    expect(await get(`${others}${field}\r\n${field.replace(':', '').replace(' ', ': ')}x\r\n`)).toMatchObject({
      status: 400,
      answers: 1,
    });
  });

  it('sends a path segment of 101 characters: 414 [practice 6.2]', async () => {
    expect(await app.request('GET', `/things/${'a'.repeat(101)}`)).toMatchObject({
      status: 414,
      body: { type: '/problems/uri-too-long' },
    });
  });

  it('an honest query arrives', async () => {
    const answer = await app.request('GET', '/things?limit=20&q=caf%C3%A9+x');
    expect(answer.body).toEqual({ query: { limit: '20', q: 'café x' } });
  });
});

// With: logging.
describe('Who the client is (ASVS 4.1.3, 15.3.4; practice 4.4)', () => {
  it('sends X-Forwarded-For without a trusted proxy: the address of the connection is logged [A4-6]', async () => {
    const { headers } = await app.request('GET', '/things', {
      from: '127.0.0.77',
      headers: { 'x-forwarded-for': '203.0.113.9' },
    });
    const line = await app.logLine((entry) => entry['http.request.id'] === headers['x-request-id']);
    expect(line['client.address']).toBe('127.0.0.77');
  });

  it('a trusted proxy names the client; what is no address is not believed', async () => {
    const proxied = await startSmallApp({ env: { TRUSTED_PROXIES: '127.0.0.88' } });
    const addressOf = async (from: string, forwarded: string) => {
      const { headers } = await proxied.request('GET', '/things', { from, headers: { 'x-forwarded-for': forwarded } });
      return (await proxied.logLine((entry) => entry['http.request.id'] === headers['x-request-id']))['client.address'];
    };
    expect(await addressOf('127.0.0.88', '6.6.6.6, 203.0.113.9')).toBe('203.0.113.9');
    expect(await addressOf('127.0.0.88', '203.0.113.9:55')).toBe('203.0.113.9');
    expect(await addressOf('127.0.0.88', '203.0.113.7, [2001:db8::9]:55')).toBe('2001:db8::9');
    expect(await addressOf('127.0.0.88', '[2001:db8::9]')).toBe('2001:db8::9');
    expect(await addressOf('127.0.0.88', '6.6.6.6, 203.0.113.9:55, 127.0.0.88:1')).toBe('203.0.113.9');
    for (const rubbish of ['rubbish', '203.0.113.9:', '203.0.113.9:a', '[203.0.113.9', 'unknown', '203.0.113.9, '])
      expect(await addressOf('127.0.0.88', rubbish)).toBe('127.0.0.88');
    await proxied.logLine(
      (entry) => entry['log.level'] === 'warn' && String(entry['message']).includes('its clients share its limits'),
    );
    expect(await addressOf('127.0.0.89', '203.0.113.9')).toBe('127.0.0.89');
    await proxied.close();
  });
});
