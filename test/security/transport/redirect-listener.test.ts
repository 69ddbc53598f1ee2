import { request } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ExposedCredentials } from '../../../src/common/exposed-credentials.js';
import { NetworkBudget } from '../../../src/security/transport/network-budget.js';
import { anotherAddress } from '../../support/http.js';
import { startSmallApp, type SmallApp } from '../small-app.js';

let app: SmallApp;
const exposed: string[] = [];
beforeAll(async () => {
  app = await startSmallApp({ env: { PUBLIC_URL: 'https://api.example.org' } });
  app.nest.get(ExposedCredentials).subscribe((credential) => exposed.push(credential));
});
beforeEach(() => {
  exposed.length = 0;
  app.events.length = 0;
});
afterAll(() => app.close());

const page = { accept: 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8' };

function plain(method: string, path: string, headers: Record<string, string> = {}, body?: string, localAddress = anotherAddress()) {
  return new Promise<{ status: number; headers: Record<string, unknown>; text: string }>((resolve, reject) => {
    const call = request({ host: '127.0.0.1', port: app.redirectPort, method, path, headers, localAddress, agent: false }, (answer) => {
      let text = '';
      answer.on('data', (chunk: Buffer) => (text += chunk.toString()));
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text }));
    });
    call.on('error', reject).end(body);
  });
}

describe('Plain HTTP only redirects browsers, or refuses (practices 1.1, 1.3; ASVS 4.1.2)', () => {
  it.each(['GET', 'HEAD'])('a browser opens a page by %s: 308 to the public HTTPS address [practice 1.3]', async (method) => {
    const answer = await plain(method, '/docs?tab=1', page);
    expect(answer).toMatchObject({ status: 308, headers: { location: 'https://api.example.org/docs?tab=1' } });
  });

  it('sends a forged Host, X-Forwarded-Host or absolute target: never redirected there [A2-5] [A8-5]', async () => {
    const forged = { ...page, 'host': 'evil.example', 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' };
    expect((await plain('GET', '/a', forged)).headers['location']).toBe('https://api.example.org/a');
    expect((await plain('GET', 'http://evil.example/a', page)).status).toBe(403);
  });

  it.each([['//evil.example/a', 'https://api.example.org//evil.example/a'], ['/\\evil.example', 'https://api.example.org/\\evil.example']])(
    'asks for %s: the redirect stays on the own origin',
    async (path, location) => {
      const answer = await plain('GET', path, page);
      expect(answer.headers['location']).toBe(location);
      expect(new URL(answer.headers['location'] as string).origin).toBe('https://api.example.org');
    },
  );

  it('splits the answer with an encoded line feed: it stays encoded', async () => {
    const answer = await plain('GET', '/%0d%0aset-cookie:%20a=b', page);
    expect(answer.headers['set-cookie']).toBeUndefined();
  });

  it.each(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])('an API client calls by %s: 403, no redirect that hides the fault [ASVS 4.1.2]', async (method) => {
    const answer = await plain(method, '/v1/resources', { accept: 'application/json' });
    expect(answer).toMatchObject({ status: 403, headers: { 'content-type': 'application/problem+json; charset=utf-8' } });
    expect(answer.headers['location']).toBeUndefined();
    expect(JSON.parse(answer.text)).toMatchObject({ type: '/problems/insecure-transport', requestId: answer.headers['x-request-id'] });
  });

  it('posts a form as a browser would: 403, never redirected with its body', async () => {
    expect((await plain('POST', '/v1/auth/login', { ...page, 'content-type': 'application/json' }, '{"password":"x"}')).status).toBe(403);
  });

  it('answers carry the headers of the HTTPS listener, but no HSTS (RFC 6797 section 7.2) [A8-1]', async () => {
    const { headers } = await plain('GET', '/', page);
    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' });
    expect(headers).not.toHaveProperty('strict-transport-security');
    expect(headers).not.toHaveProperty('server');
  });

  it('sends rubbish to the plain port: 400 and closed', async () => {
    const text = await new Promise<string>((resolve) => {
      let received = '';
      const socket = connect(app.redirectPort, '127.0.0.1', () => socket.write('rubbish\r\n\r\n'));
      socket.on('data', (chunk) => (received += chunk.toString()));
      socket.on('close', () => resolve(received));
    });
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
    expect(text).toContain('x-content-type-options: nosniff');
  });
});

describe('A credential that crossed the wire in clear dies (practice 1.3)', () => {
  it.each([
    ['Authorization', { authorization: 'Bearer aaa.bbb.ccc' }, ['aaa.bbb.ccc']],
    ['Cookie', { cookie: '__Host-refresh=rrr; theme=dark' }, ['rrr', 'dark']],
    ['X-Api-Key', { 'x-api-key': 'app_live_1' }, ['app_live_1']],
  ])('sends %s, even as a browser: 403, reported, revoked [practice 1.3] [ASVS 4.1.2]', async (_name, headers, credentials) => {
    const answer = await plain('GET', '/v1/users/me', { ...page, ...headers });
    expect(answer.status).toBe(403);
    expect(exposed).toEqual(credentials);
    expect(app.events).toEqual([{ action: 'authn_credential_in_clear', outcome: 'denied', details: { count: credentials.length } }]);
  });

  it('sends a token in the query: 403, revoked, and nowhere in the log [ASVS 14.2.1]', async () => {
    const answer = await plain('GET', '/x?access_token=ttt-in-query', page);
    expect(answer.status).toBe(403);
    expect(exposed).toEqual(['ttt-in-query']);
    await app.logLine((line) => line['http.request.id'] === answer.headers['x-request-id']);
    expect(app.logText()).not.toContain('ttt-in-query');
  });

  it('refreshes over plain HTTP: the refresh token in the body dies as well [practice 1.3]', async () => {
    const body = JSON.stringify({ refreshToken: 'session.7.mac-mac-mac-mac' });
    expect((await plain('POST', '/v1/auth/refresh', { 'content-type': 'application/json' }, body)).status).toBe(403);
    expect(exposed).toEqual(['session.7.mac-mac-mac-mac']);
  });

  it('sends a body without end, or a thousand cookies: 403 all the same, and little work [A4-1]', async () => {
    expect((await plain('POST', '/', {}, 'x'.repeat(200_000))).status).toBe(403);
    const cookie = Array.from({ length: 1000 }, (_, index) => `a${index}=b`).join(';');
    expect((await plain('GET', '/', { cookie })).status).toBe(403);
    expect(exposed).toHaveLength(10);
  });

  it('an anonymous redirect revokes nothing', async () => {
    await plain('GET', '/', page);
    expect(exposed).toEqual([]);
    expect(app.events).toEqual([]);
  });
});

describe('Made-up credentials over plain HTTP flood nothing (abuse cases A4-6, A6-5)', () => {
  it('one network sends 60 credentials: 403 each, ten looked at, one event tells that more came, others are still heard [practice 4.1]', async () => {
    const from = anotherAddress();
    const flood = (index: number) => plain('POST', '/v1/users/me', { authorization: `Bearer forged.${index}` }, '{}', from);
    const answers = await Promise.all(Array.from({ length: 60 }, (_, index) => flood(index)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([403]));
    expect(exposed).toHaveLength(10);
    expect(app.events.filter(({ action }) => action === 'authn_credential_in_clear')).toHaveLength(10);
    const more = app.events.filter(({ action }) => action !== 'authn_credential_in_clear');
    expect(more).toEqual([{ action: 'excess_rate_limit_exceeded', outcome: 'denied', details: { limit: 'credentials-in-clear' } }]);
    expect(answers.filter(({ text }) => text.includes('revoked'))).toHaveLength(10);
    await plain('GET', '/', { authorization: 'Bearer honest.mistake' });
    expect(exposed).toContain('honest.mistake');
  });

  it('pages without a credential cost nothing of the budget: the sixtieth is redirected too', async () => {
    const from = anotherAddress();
    for (let index = 0; index < 60; index++) expect((await plain('GET', '/', page, undefined, from)).status).toBe(308);
  });

  it('rotates addresses within a /64, or 100,000 networks: one budget for the first, bounded memory for the second; a minute later anew', () => {
    const budget = new NetworkBudget();
    expect([1, 2, 3].map((host) => budget.use(`2001:db8:1:1::${host}`, 0))).toEqual([1, 2, 3]);
    const uses = Array.from({ length: 100_000 }, (_, index) => budget.use(`10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`, 1));
    expect(uses.filter((use) => use <= 10).length).toBeLessThan(600);
    expect(budget.use('10.0.0.0', 59_999)).toBe(2);
    expect(budget.use('10.0.0.0', 60_000)).toBe(1);
  });
});
