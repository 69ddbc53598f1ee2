import { request } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ExposedCredentials } from '../../../src/common/access/exposed-credentials.js';
import { NetworkBudget } from '../../../src/security/transport/exposed-bytes.js';
import { anotherAddress } from '../../support/http.js';
import { startSmallApp, type SmallApp } from '../small-app.js';

let app: SmallApp;
const exposed: string[] = [];
let isBroken = false;
beforeAll(async () => {
  app = await startSmallApp({ env: { PUBLIC_URL: 'https://api.example.org' } });
  const revoke = async (lookAlikes: readonly string[]): Promise<void> => {
    if (isBroken) throw new Error('the database is gone');
    exposed.push(...lookAlikes);
  };
  app.nest.get(ExposedCredentials).subscribe({ kind: 'things', pattern: /ours-[\w.]{4,20}/g, revoke });
});
beforeEach(() => {
  exposed.length = 0;
  app.events.length = 0;
});
afterAll(() => app.close());

const page = { accept: 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8' };

function plain(
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: string,
  localAddress = anotherAddress(),
) {
  return new Promise<{ status: number; headers: Record<string, unknown>; text: string }>((resolve, reject) => {
    const call = request(
      { host: '127.0.0.1', port: app.redirectPort, method, path, headers, localAddress, agent: false },
      (answer) => {
        let text = '';
        answer.on('data', (chunk: Buffer) => (text += chunk.toString()));
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text }));
      },
    );
    call.on('error', reject).end(body);
  });
}

describe('Plain HTTP only redirects browsers, or refuses (practices 1.1, 1.3; ASVS 4.1.2)', () => {
  it.each(['GET', 'HEAD'])(
    'a browser opens a page by %s: 308 to the public HTTPS address [practice 1.3]',
    async (method) => {
      const answer = await plain(method, '/docs?tab=1', page);
      expect(answer).toMatchObject({ status: 308, headers: { location: 'https://api.example.org/docs?tab=1' } });
    },
  );

  it('sends a forged Host, X-Forwarded-Host or absolute target: never redirected there [A2-5] [A8-5]', async () => {
    const forged = {
      ...page,
      'host': 'evil.example',
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'https',
    };
    expect((await plain('GET', '/a', forged)).headers['location']).toBe('https://api.example.org/a');
    expect((await plain('GET', 'http://evil.example/a', page)).status).toBe(403);
  });

  it.each([
    ['//evil.example/a', 'https://api.example.org//evil.example/a'],
    ['/\\evil.example', 'https://api.example.org/\\evil.example'],
  ])('asks for %s: the redirect stays on the own origin', async (path, location) => {
    const answer = await plain('GET', path, page);
    expect(answer.headers['location']).toBe(location);
    expect(new URL(answer.headers['location'] as string).origin).toBe('https://api.example.org');
  });

  it('splits the answer with an encoded line feed: it stays encoded', async () => {
    const answer = await plain('GET', '/%0d%0aset-cookie:%20a=b', page);
    expect(answer.headers['set-cookie']).toBeUndefined();
  });

  it.each(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])(
    'an API client calls by %s: 403, no redirect that hides the fault [ASVS 4.1.2]',
    async (method) => {
      const answer = await plain(method, '/v1/users/me', { accept: 'application/json' });
      expect(answer).toMatchObject({
        status: 403,
        headers: { 'content-type': 'application/problem+json; charset=utf-8' },
      });
      expect(answer.headers['location']).toBeUndefined();
      expect(JSON.parse(answer.text)).toMatchObject({
        type: '/problems/insecure-transport',
        requestId: answer.headers['x-request-id'],
      });
    },
  );

  it('posts a form as a browser would: 403, never redirected with its body', async () => {
    expect(
      (await plain('POST', '/v1/auth/login', { ...page, 'content-type': 'application/json' }, '{"password":"x"}'))
        .status,
    ).toBe(403);
  });

  // With: headers.
  it('answers carry the headers of the HTTPS listener, but no HSTS (RFC 6797 section 7.2) [A8-1]', async () => {
    const { headers } = await plain('GET', '/', page);
    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' });
    expect(headers).not.toHaveProperty('strict-transport-security');
    expect(headers).not.toHaveProperty('server');
  });
});

/** Bytes as they are, and the answer until the service closes the connection. */
function sendRaw(bytes: string, breakOff = false): Promise<string> {
  return new Promise((resolve) => {
    let received = '';
    const socket = connect({ port: app.redirectPort, host: '127.0.0.1', localAddress: anotherAddress() }, () =>
      socket.write(bytes, () => breakOff && socket.destroy()),
    );
    socket.on('data', (chunk) => (received += chunk.toString()));
    socket.on('error', () => undefined).on('close', () => resolve(received));
  });
}

describe('A credential that crossed the wire in clear dies (practice 1.3)', () => {
  const token = 'ours-1.aB_cd';
  const head = 'POST /v1/auth/refresh?x=1 HTTP/1.1\r\nHost: localhost\r\n';
  const withBody = (body: string) => `${head}Content-Length: ${body.length}\r\n\r\n${body}`;
  const cut = `${token.slice(0, 6)}\r\n6\r\n${token.slice(6)}`;
  const places: [string, string][] = [
    ['Authorization', `${head}Authorization: Bearer ${token}\r\n\r\n`],
    ['Basic', `${head}Authorization: Basic ${Buffer.from(`somebody@example.org:${token}`).toString('base64')}\r\n\r\n`],
    ['a second Authorization', `${head}Authorization: Bearer a\r\nAuthorization: Bearer ${token}\r\n\r\n`],
    ['a field that nobody knows', `${head}X-Whatever: ${token}\r\n\r\n`],
    [
      'the twelfth cookie',
      `${head}Cookie: ${Array.from({ length: 11 }, (_, index) => `c${index}=v`).join('; ')}; twelfth=${token}\r\n\r\n`,
    ],
    ['the path', `GET /reset/${token} HTTP/1.1\r\nHost: localhost\r\n\r\n`],
    ['the second parameter of a name', `GET /x?token=a&token=${token} HTTP/1.1\r\nHost: localhost\r\n\r\n`],
    ['a percent-encoded parameter', `GET /x?%74oken=%6f${token.slice(1)} HTTP/1.1\r\nHost: localhost\r\n\r\n`],
    [
      'a parameter that is encoded twice',
      `GET /x?next=token%253D%256f${token.slice(1)} HTTP/1.1\r\nHost: localhost\r\n\r\n`,
    ],
    ['an escaped JSON key', withBody(`{"\\u0074oken":"${token}"}`)],
    ['escaped JSON text', withBody(`{"token":"\\u006f${token.slice(1)}"}`)],
    ['a form', withBody(`a=b&token=${token}`)],
    ['a body in two chunks', `${head}Transfer-Encoding: chunked\r\n\r\n6\r\n${cut}\r\n0\r\n\r\n`],
    ['a header block of 9 KB', `${head}X: ${'x'.repeat(9_000)}\r\nAuthorization: Bearer ${token}\r\n\r\n`],
    ['a header block of 40 KB', `${head}X: ${'x'.repeat(40_000)}\r\nAuthorization: Bearer ${token}\r\n\r\n`],
    ['what no parser can read', `POST / HTTP/1.1\r\nHost : x\r\nAuthorization: Bearer ${token}\r\n\r\n`],
    ['a coding that nobody takes', `${head}Transfer-Encoding: xchunked\r\nAuthorization: Bearer ${token}\r\n\r\n`],
    [
      'a request behind the first',
      `GET / HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\n\r\nGET /?token=${token} HTTP/1.1\r\nHost: ` +
        `localhost\r\n\r\n`,
    ],
  ];

  it.each(places)(
    'sends it in %s: refused, revoked, and the answer says so [practice 1.3] [ASVS 4.1.2] [ASVS 14.2.1]',
    async (_place, bytes) => {
      const answer = await sendRaw(bytes);
      expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
      expect(exposed).toContain(token);
      expect(answer).toContain('it is revoked: things.');
      expect(app.events).toContainEqual({
        action: 'authn_credential_in_clear',
        outcome: 'denied',
        details: { count: expect.any(Number) },
      });
      expect(app.logText()).not.toContain(token);
    },
  );

  it.each([
    ['in the body', `${head}Content-Length: 1000\r\n\r\n{"token":"${token}"`],
    ['in the header block', `${head}Authorization: Bearer ${token}\r\nX-More: `],
  ])('hangs up %s: revoked all the same [practice 1.3]', async (_where, bytes) => {
    await sendRaw(bytes, true);
    await expect.poll(() => exposed).toContain(token);
  });

  it.each([
    ['the database fails', () => (isBroken = true), `Bearer ${token}`],
    [
      'it holds more look-alikes than are looked at',
      () => undefined,
      Array.from({ length: 30 }, (_, index) => `ours-${index}abc`).join(' '),
    ],
    [
      'it is longer than what is kept',
      () => undefined,
      `Bearer ${token}\r\nContent-Length: 70000\r\n\r\n${'x'.repeat(70_000)}`,
    ],
  ])('%s: the answer does not say that anything was revoked [practice 1.3]', async (_name, prepare, authorization) => {
    prepare();
    const answer = await sendRaw(`${head}Authorization: ${authorization}\r\n\r\n`);
    isBroken = false;
    expect(answer).toContain('What the request held was not revoked');
  });

  it('sends a body without end, or a thousand cookies: 403 all the same, and little work [A4-1]', async () => {
    expect((await plain('POST', '/', {}, 'x'.repeat(200_000))).status).toBe(403);
    const cookie = Array.from({ length: 1000 }, (_, index) => `a${index}=ours-${1000 + index}`).join(';');
    expect((await plain('GET', '/', { cookie: cookie.slice(0, 8_000) })).status).toBe(403);
    expect(exposed).toHaveLength(20);
  });

  it('an anonymous redirect revokes nothing', async () => {
    await plain('GET', '/', page);
    expect(exposed).toEqual([]);
    expect(app.events).toEqual([]);
  });
});

describe('Made-up credentials over plain HTTP flood nothing (abuse case A4-6)', () => {
  it('one network sends 60 credentials: 403 each, ten looked at, one event [practice 4.1]', async () => {
    const from = anotherAddress();
    const flood = (index: number) =>
      plain('POST', '/v1/users/me', { authorization: `Bearer ours-forged.${index}` }, '{}', from);
    const answers = await Promise.all(Array.from({ length: 60 }, (_, index) => flood(index)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([403]));
    expect(exposed).toHaveLength(10);
    expect(app.events.filter(({ action }) => action === 'authn_credential_in_clear')).toHaveLength(10);
    const more = app.events.filter(({ action }) => action !== 'authn_credential_in_clear');
    expect(more).toEqual([
      { action: 'excess_rate_limit_exceeded', outcome: 'denied', details: { limit: 'credentials-in-clear' } },
    ]);
    expect(answers.filter(({ text }) => text.includes('it is revoked'))).toHaveLength(10);
    await plain('GET', '/', { authorization: 'Bearer ours-honest.mistake' });
    expect(exposed).toContain('ours-honest.mistake');
  });

  it('pages without a credential cost nothing of the budget: the sixtieth is redirected too', async () => {
    const from = anotherAddress();
    for (let index = 0; index < 60; index++) expect((await plain('GET', '/', page, undefined, from)).status).toBe(308);
  });

  it('rotates addresses within a /64, or 100,000 networks: one budget, bounded memory', () => {
    const budget = new NetworkBudget();
    expect([1, 2, 3].map((host) => budget.use(`2001:db8:1:1::${host}`, 1, 0))).toEqual([1, 2, 3]);
    const uses = Array.from({ length: 100_000 }, (_, index) =>
      budget.use(`10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`, 1, 1),
    );
    expect(uses.filter((use) => use <= 10).length).toBeLessThan(600);
    expect(budget.use('10.0.0.0', 1, 59_999)).toBe(2);
    expect(budget.use('10.0.0.0', 1, 60_000)).toBe(1);
  });
});
