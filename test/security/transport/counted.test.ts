import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Problem } from '../../../src/common/http/problem.js';
import type { Arrival } from '../../../src/common/http/request-counter.js';
import { exchange, parse } from '../raw.js';
import { startSmallApp, type SmallApp } from '../small-app.js';

let app: SmallApp;
const arrivals: Omit<Arrival, 'tell'>[] = [];
let isFull = false;

beforeAll(async () => {
  app = await startSmallApp({
    env: { PUBLIC_URL: 'https://api.example.org', CORS_ORIGINS: 'https://app.example.org' },
  });
  app.counter.countBy(async ({ address, listener }) => {
    arrivals.push({ address, listener });
    if (isFull) throw new Problem('too-many-requests', 'Try again in 7 seconds.', { headers: { 'Retry-After': '7' } });
  });
});
beforeEach(() => {
  arrivals.length = 0;
  isFull = false;
});
afterAll(() => app.close());

const host = 'Host: localhost\r\n';
const end = 'Connection: close\r\n\r\n';
const get = (target: string, fields = host) => `GET ${target} HTTP/1.1\r\n${fields}${end}`;
const post = (fields: string, body: string) =>
  `POST /things HTTP/1.1\r\n${host}Content-Type: application/json\r\n${fields}${end}${body}`;
const long = 'x'.repeat(101);

/** What is sent, and how it is refused while there is room. */
const requests: [string, string, number][] = [
  ['what a route answers', get('/things'), 200],
  ['an unknown route', get('/nowhere'), 404],
  ['a target that is no text', get('/%zz'), 400],
  ['a segment that is too long', get(`/things/${long}`), 414],
  ['an absolute target', get('https://evil.example/things'), 400],
  ['a repeated parameter', get('/things?a=1&a=2'), 400],
  ['an encoded letter in the path', get('/%74hings'), 400],
  ['a foreign Host', get('/things', 'Host: evil.example\r\n'), 421],
  ['no Host', get('/things', ''), 400],
  ['a repeated Host', get('/things', `${host}${host}`), 400],
  // With: headers.
  ['a foreign Origin', post('Origin: https://evil.example\r\nContent-Length: 2\r\n', '{}'), 403],
  // With: headers.
  ['OPTIONS', `OPTIONS /things HTTP/1.1\r\n${host}${end}`, 204],
  // With: headers.
  [
    'a preflight',
    `OPTIONS /things HTTP/1.1\r\n${host}Origin: https://app.example.org\r\nAccess-Control-Request-Method: ` +
      `POST\r\n${end}`,
    204,
  ],
  // With: headers.
  [
    'a foreign preflight',
    `OPTIONS /things HTTP/1.1\r\n${host}Origin: https://evil.example\r\nAccess-Control-Request-Method: POST\r\n${end}`,
    403,
  ],
  ['a content coding', post('Content-Encoding: gzip\r\nContent-Length: 2\r\n', '{}'), 415],
  ['an obscure transfer coding', post('Transfer-Encoding: gzip, chunked\r\n', '2\r\n{}\r\n0\r\n\r\n'), 400],
  ['a body on GET', get('/things', `${host}Content-Length: 2\r\n`), 400],
  ['a body that is no JSON', post('Content-Length: 1\r\n', '{'), 400],
  ['a chunk that breaks off', post('Transfer-Encoding: chunked\r\n', 'zz\r\n'), 400],
  ['a header block that is too long', get('/things', `${host}X: ${'x'.repeat(20_000)}\r\n`), 431],
  ['what is no HTTP', 'rubbish\r\n\r\n', 400],
  ['two lengths', post('Content-Length: 1\r\nContent-Length: 2\r\n', '{}'), 400],
];

describe('Every request that costs anything is counted, once, before it is refused (practice 4.1, ASVS 2.4.1)', () => {
  it.each(requests)('sends %s over HTTPS: counted once [practice 4.1] [A4-1]', async (_name, bytes, status) => {
    const answer = await exchange(app, bytes);
    expect([answer.status, answer.answers]).toEqual([status, 1]);
    expect(arrivals).toEqual([{ address: '127.0.0.1', listener: 'public' }]);
  });

  it.each(requests.filter(([name]) => name !== 'a chunk that breaks off'))(
    'sends %s when there is no room: 429 with all headers [practice 4.1] [A4-8]',
    async (_name, bytes) => {
      isFull = true;
      const answer = await exchange(app, bytes);
      expect(answer).toMatchObject({
        status: 429,
        answers: 1,
        headers: { 'retry-after': '7', 'content-type': 'application/problem+json; charset=utf-8' },
      });
      expect(answer.headers).toMatchObject({
        // With: headers.
        'strict-transport-security': expect.any(String),
        // With: headers.
        'x-content-type-options': 'nosniff',
        'cache-control': 'no-store',
      });
      expect(arrivals).toHaveLength(1);
    },
  );

  // With: headers.
  it('a page of a listed origin is refused with 429: it may read that answer', async () => {
    isFull = true;
    const { status, headers } = await app.request('GET', '/things', { headers: { origin: 'https://app.example.org' } });
    expect([status, headers['access-control-allow-origin']]).toEqual([429, 'https://app.example.org']);
  });
});

/** What Node's parser refuses on the plain ports. */
const unparsed: [string, string, number][] = [
  ['rubbish', 'rubbish\r\n\r\n', 400],
  ['a header block that is too long', `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
  ['a space before the colon', 'GET / HTTP/1.1\r\nHost : localhost\r\n\r\n', 400],
  ['two lengths', 'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}', 400],
  [
    'an obscure transfer coding',
    'POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
    400,
  ],
];

describe.each([
  ['the plain listener', () => app.redirectPort, 'public'],
  ['the internal listener', () => app.internalPort, 'internal'],
] as const)('%s answers like the others (practices 4.1, 6.1, 10.1)', (_name, port, listener) => {
  const sendPlain = (bytes: string) =>
    new Promise<ReturnType<typeof parse>>((resolve) => {
      let text = '';
      const socket = connect(port(), '127.0.0.1', () => socket.write(bytes));
      socket.on('data', (chunk) => (text += chunk.toString('latin1'))).on('error', () => undefined);
      socket.on('close', () => resolve(parse(text)));
    });

  it.each(unparsed)(
    'gets %s: a problem document with all headers, one log line, counted once, closed [practice 6.1] [A8-1] [A8-4]',
    async (_what, bytes, status) => {
      const answer = await sendPlain(bytes);
      expect(answer).toMatchObject({
        status,
        answers: 1,
        headers: {
          'content-type': 'application/problem+json; charset=utf-8',
          'connection': 'close',
          // With: headers.
          'x-content-type-options': 'nosniff',
        },
      });
      expect(answer.headers).toMatchObject({
        // With: headers.
        'content-security-policy': expect.any(String),
        'cache-control': 'no-store',
      });
      const { status: told, requestId } = JSON.parse(answer.body) as { status: number; requestId: string };
      expect([told, answer.headers['x-request-id']]).toEqual([status, requestId]);
      // With: logging.
      await app.logLine((line) => line['http.request.id'] === requestId);
      // With: logging.
      expect(app.logs().filter((line) => line['http.request.id'] === requestId)).toEqual([
        expect.objectContaining({ 'http.response.status_code': status }),
      ]);
      expect(arrivals).toEqual([{ address: '127.0.0.1', listener }]);
    },
  );

  it.each([
    ['GET / HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\n'],
    ['POST / HTTP/1.1\r\nHost: evil.example\r\n'],
  ])(
    'gets an honest or a refused request: counted once, and 429 when there is no room [practice 4.1]',
    async (head) => {
      await sendPlain(`${head}${end}`);
      expect(arrivals).toEqual([{ address: '127.0.0.1', listener }]);
      isFull = true;
      expect(await sendPlain(`${head}${end}`)).toMatchObject({ status: 429, headers: { 'retry-after': '7' } });
      expect(await sendPlain('rubbish\r\n\r\n')).toMatchObject({ status: 429 });
    },
  );
});
