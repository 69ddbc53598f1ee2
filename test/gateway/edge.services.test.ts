// With: resources, administration, headers, logging.

import { connect as connectHttp2 } from 'node:http2';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mailedToken, signUp, signUpAdministrator, type Actor } from '../support/actors.js';
import { startApp, type TestApp } from '../support/app.js';
import { limitOf } from '../support/declared-limits.js';
import { anotherAddress, neverIssued } from '../support/http.js';
import { exchange } from '../security/raw.js';
import { Edge, instancesOf, shown, Trust } from './edge.js';

let trust: Trust;
let app: TestApp;
let edge: Edge;

/** The same app as its gateway asks it: every helper that takes an app goes through the edge. */
let through: TestApp;

beforeAll(async () => {
  trust = await Trust.create();
  app = await startApp({ env: trust.env });
  edge = await Edge.start(instancesOf(app), trust);
  through = Object.create(app, { request: { value: edge.request.bind(edge) } }) as TestApp;
});
afterAll(async () => {
  await edge?.stop();
  await app?.close();
  trust?.remove();
});

/** The service gives its requests UUIDs of version 7, the edge of version 4. */
const isOfEdge = (id = ''): boolean => /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/.test(id);

describe('a whole journey through the gateway, which alone may ask [practice 9.1] [practice 9.4]', () => {
  let alice: Actor;
  beforeAll(async () => {
    alice = await signUp(through, 'alice');
  });

  it('past the gateway there is no answer, with a good token neither', async () => {
    await expect(app.request('GET', '/v1/users/me', { token: alice.token })).rejects.toThrow();
  });

  it('signs in, refreshes, and a used refresh token is refused', async () => {
    const body = { refreshToken: alice.refreshToken };
    const renewed = await edge.request('POST', '/v1/auth/refresh', { body });
    expect(renewed.status).toBe(200);
    alice = { ...alice, token: renewed.body.accessToken, refreshToken: renewed.body.refreshToken };
    expect((await edge.request('GET', '/v1/users/me', { token: alice.token })).body.id).toBe(alice.userId);
  });

  it('writes, reads, changes by entity tag and deletes; a stranger gets 404', async () => {
    const { token } = alice;
    const made = await edge.request('POST', '/v1/resources', { token, body: { title: 'One', body: 'two' } });
    expect(made.status).toBe(201);
    const path = `/v1/resources/${made.body.id}`;
    const { etag = '' } = made.headers;
    const change = (tag: string) =>
      edge.request('PATCH', path, { token, body: { title: 'Two' }, headers: { 'if-match': tag } });
    expect((await change(etag)).status).toBe(200);
    expect((await change(etag)).status).toBe(412);
    const bob = await signUp(through, 'bob');
    expect((await edge.request('GET', path, { token: bob.token })).status).toBe(404);
    const read = await edge.request('GET', path, { token });
    expect([read.body.title, read.headers['etag']]).toEqual(['Two', expect.stringMatching(/^"/)]);
    expect(
      (await edge.request('DELETE', path, { token, headers: { 'if-match': read.headers['etag'] ?? '' } })).status,
    ).toBe(204);
  });

  it('an answer that is private is kept by nobody, and each caller gets their own', async () => {
    const bob = await signUp(through, 'bob');
    for (const { token, userId } of [alice, bob, alice]) {
      const { body, headers } = await edge.request('GET', '/v1/users/me', { token });
      expect([body.id, headers['cache-control'], headers['age']]).toEqual([userId, 'no-store', undefined]);
    }
    expect((await edge.request('GET', '/v1/users/me')).status).toBe(401);
  });

  it('an administrator does what others are refused', async () => {
    const admin = await signUpAdministrator(through);
    expect((await edge.request('GET', '/v1/users', { token: admin.token })).status).toBe(200);
    expect((await edge.request('GET', '/v1/users', { token: alice.token })).status).toBe(403);
  });

  it('exports, signs out, and the session is over', async () => {
    const { token } = alice;
    expect((await edge.request('GET', '/v1/users/me/export', { token })).status).toBe(200);
    expect((await edge.request('POST', '/v1/auth/logout', { token })).status).toBe(204);
    expect((await edge.request('GET', '/v1/users/me', { token })).status).toBe(401);
  });

  it('a mailed token works once', async () => {
    const email = 'once@example.org';
    await edge.request('POST', '/v1/auth/register', { body: { email } });
    const body = { token: await mailedToken(app, email), password: 'nine quiet lanterns', name: 'Once' };
    expect((await edge.request('POST', '/v1/auth/email/verify', { body })).status).toBe(201);
    expect((await edge.request('POST', '/v1/auth/email/verify', { body })).status).toBe(400);
  });

  it('HTTP/2 in front is HTTP/1.1 behind', async () => {
    const session = connectHttp2(`https://localhost:${edge.port}`, { ca: edge.ca, lookup: undefined });
    const stream = session.request({ ':path': '/v1/users/me', 'authorization': 'Bearer forged' });
    const status = await new Promise((resolve) => stream.once('response', (fields) => resolve(fields[':status'])));
    session.destroy();
    expect(status).toBe(401);
  });
});

describe('what the edge answers itself [practice 9.1] [practice 9.4] [A5-2]', () => {
  it.each([
    ['GET', '/health/ready', 404],
    ['GET', '/health/live', 404],
    ['GET', '/metrics', 404],
    ['GET', '/', 404],
    ['GET', '/.edge/404', 404],
    ['GET', '/V1/users/me', 404],
    ['GET', '/v1/users/me/', 404],
    ['GET', '//v1/users/me', 404],
    ['GET', '/v1/./users/me', 404],
    ['GET', '/v1/x/../users/me', 404],
    ['GET', '/v1/users%2fme', 404],
    ['GET', '/%761/users/me', 404],
    ['GET', '/v1/users/me;x=1', 404],
    ['PUT', '/v1/users/me', 405],
    ['POST', `/v1/users/${neverIssued}`, 405],
    ['TRACE', '/v1/users/me', 405],
  ])('%s %s: %i, and the service hears nothing', async (method, path, status) => {
    const before = app.logs().length;
    const answer = await edge.request(method, path);
    const { type, requestId } = answer.body as { type: string; requestId: string };
    // `;` and two methods are no token of a route of `/v1/users/:id`: the service says what is no id.
    if (!isOfEdge(requestId)) return expect([400, 401]).toContain(answer.status);
    expect([answer.status, type]).toEqual([status, `/problems/${status === 404 ? 'not-found' : 'method-not-allowed'}`]);
    expect(answer.headers).toMatchObject({
      'content-type': 'application/problem+json; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'strict-transport-security': expect.stringContaining('max-age=63072000'),
      'server': 'nginx',
      ...(status === 405 && { allow: expect.stringContaining('OPTIONS') }),
    });
    expect(app.logs().length).toBe(before);
  });

  it('another host: 421; a body that is too large: 413; a header that is too large: 431', async () => {
    const asked = await edge.request('GET', '/problems', { headers: { host: 'evil.example' } });
    const large = await edge.request('POST', '/v1/auth/login', { raw: `{"email":"${'x'.repeat(65 * 1024)}"}` });
    const header = await edge.request('GET', '/problems', { headers: { 'x-large': 'x'.repeat(17 * 1024) } });
    const answers = [asked, large, header].map(({ status, body }) => [status, body.status, isOfEdge(body.requestId)]);
    expect(answers).toEqual([421, 413, 431].map((status) => [status, status, true]));
  });

  it('plain HTTP on the port of TLS: 400, and no page of nginx', async () => {
    const text = await new Promise<string>((resolve) => {
      let said = '';
      const socket = connectTcp(edge.port, '127.0.0.1', () =>
        socket.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n'),
      );
      socket.on('data', (chunk: Buffer) => (said += chunk.toString())).on('close', () => resolve(said));
    });
    expect([text.startsWith('HTTP/1.1 400'), text.includes('/problems/malformed-request')]).toEqual([true, true]);
  });

  it.each([
    ['TLS 1.1', { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }],
    ['a suite without forward secrecy', { maxVersion: 'TLSv1.2', ciphers: 'AES128-GCM-SHA256:AES256-SHA' }],
  ] as const)('%s: no handshake', async (_, options) => {
    const socket = connectTls({ host: '127.0.0.1', port: edge.port, servername: 'localhost', ca: edge.ca, ...options });
    const outcome = await new Promise((resolve) => {
      socket.once('secureConnect', () => resolve('connected')).once('error', ({ message }) => resolve(message));
    });
    socket.destroy();
    expect(outcome).toMatch(/alert|handshake|version/i);
  });

  it('what clients say of their address, host and certificate reaches nobody', async () => {
    const from = anotherAddress();
    const lies = { 'x-forwarded-for': '192.0.2.99', 'forwarded': 'for=192.0.2.98', 'x-real-ip': '192.0.2.97' };
    await edge.request('GET', '/v1/users/me', { from, headers: { ...lies, 'client-cert': ':AAAA:' } });
    expect([app.logText().includes(from), /192\.0\.2\.9\d/.test(app.logText())]).toEqual([true, false]);
  });

  // With: rate-limiting.
  it('a network that floods is stopped at the edge, and never before the service would have', async () => {
    const { requests } = limitOf('login-network');
    const from = anotherAddress();
    const send = (index: number) =>
      edge.request('POST', '/v1/auth/login', { from, body: { email: `${index}@example.org`, password: 'x' } });
    const answers = [];
    for (let index = 0; index < 2 * requests + 20; index++) answers.push(await send(index));
    const ofEdge = answers.map(({ body }) => isOfEdge(body.requestId));
    expect(ofEdge.indexOf(true)).toBeGreaterThanOrEqual(2 * requests);
    const last = answers.at(-1);
    expect([last?.status, last?.body.type, last?.headers['retry-after']]).toEqual([
      429,
      '/problems/too-many-requests',
      '60',
    ]);
  });

  it('the log of the edge has routes and methods, and neither query nor token', async () => {
    await edge.request('PATCH', `/v1/users/${neverIssued}?secret=seen`, { token: 'forged' });
    await expect
      .poll(() => edge.log('access.log'))
      .toContain('"http.request.method":"PATCH","http.route":"/v1/users/:id"');
    expect(edge.log('access.log')).not.toMatch(/secret|forged|01890000/);
  });

  it('past nginx, with its certificate: what the edge refuses the service refuses as well', async () => {
    const certificate = shown(trust.gateway);
    const ask = (method: string, path: string, host = 'localhost') =>
      app.request(method, path, { certificate, headers: { host } }).then(({ status }) => status);
    expect(await ask('GET', '/metrics')).toBe(404);
    expect(await ask('PUT', '/v1/users/me')).toBe(405);
    expect(await ask('GET', '/problems', 'evil.example')).toBe(421);
    const { port, ca } = { port: app.on(0).addresses.https, ca: instancesOf(app).ca };
    expect((await exchange({ port, ca }, 'GET / HTTP/1.1\r\nhost: localhost\r\n\r\n')).status).toBe(0);
  });
});
