import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseStrictly } from '../../../src/security/transport/json-body.js';
import { signUp } from '../../support/actors.js';
import { startApp } from '../../support/app.js';
import { startSmallApp, type SmallApp } from '../small-app.js';
import { timing } from '../../support/timing.js';

let app: SmallApp;
beforeAll(async () => {
  app = await startSmallApp();
});
afterAll(() => app.close());

const send = (raw: string | Buffer, headers: Record<string, string> = {}) =>
  app.request('POST', '/things', { raw, headers });

describe('JSON bodies have one meaning (abuse cases A3-6, A4-3; ASVS 1.5.3, 15.3.6)', () => {
  const traps: [string, string | Buffer][] = [
    ['a key twice', '{"role":"user","role":"admin"}'],
    ['a key twice, once escaped', String.raw`{"role":"user","\u0072ole":"admin"}`],
    ['a key twice, deep inside', '{"a":[{"b":{"c":1,"c":2}}]}'],
    ['__proto__', '{"__proto__":{"admin":true}}'],
    ['__proto__, escaped', String.raw`{"\u005f_proto__":{"admin":true}}`],
    ['constructor.prototype', '{"constructor":{"prototype":{"admin":true}}}'],
    ['a byte order mark', '\ufeff{"a":1}'],
    ['bytes that are not UTF-8', Buffer.from([0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, 0xff, 0x22, 0x7d])],
    ['an overlong encoding', Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xc0, 0xaf]), Buffer.from('"}')])],
    ['half a surrogate pair', String.raw`{"a":"\ud800"}`],
    ['half a surrogate pair as a key', String.raw`{"\udc00":1}`],
    ['a number that becomes Infinity', '{"a":1e400}'],
    ['a number that becomes -Infinity', '{"a":[-1e400]}'],
    ['NaN', '{"a":NaN}'],
    ['a comment', '{"a":1 /* b */}'],
    ['a comma at the end', '{"a":1,}'],
    ['two documents', '{}{}'],
    ['an open string', '{"a":"b'],
    ['a string that ends in a backslash', '{"a":"b\\"}'],
    ['a list', '[]'],
    ['null', 'null'],
    ['a text', '"a"'],
    ['a blank', ' '],
    ['33 levels', `${'{"a":'.repeat(33)}1${'}'.repeat(33)}`],
    ['30,000 levels', `${'['.repeat(30_000)}${']'.repeat(30_000)}`],
    ['more closed than opened', ']'.repeat(100)],
    ['1,001 keys', `{${Array.from({ length: 1001 }, (_, index) => `"k${index}":1`).join(',')}}`],
  ];

  it.each(traps)('sends %s: 400 [A3-6]', async (_name, raw) => {
    const answer = await send(raw);
    expect(answer).toMatchObject({ status: 400, body: { type: '/problems/malformed-request' } });
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });

  it(
    'sends 64 KiB of opening brackets: refused within 50 ms, the event loop stays free [A4-3] [ASVS 15.2.2]',
    timing,
    () => {
      const started = performance.now();
      for (const text of ['['.repeat(65_000), '{"a":'.repeat(13_000), '"'.repeat(65_000), `"${'\\'.repeat(65_000)}`]) {
        expect(() => parseStrictly(text)).toThrow();
      }
      expect(performance.now() - started).toBeLessThan(200);
    },
  );

  it('sends one byte more than 64 KiB: 413 and a closed connection [A4-1] [practice 6.2]', async () => {
    const answer = await send(`{"a":"${'x'.repeat(64 * 1024 - 7)}"}`);
    expect(answer).toMatchObject({ status: 413, body: { type: '/problems/content-too-large' } });
    expect(answer.headers['connection']).toBe('close');
  });

  it('sends exactly 64 KiB, 32 levels, 1,000 keys: accepted', async () => {
    expect((await send(`{"a":"${'x'.repeat(64 * 1024 - 8)}"}`)).status).toBe(201);
    expect((await send(`${'{"a":'.repeat(32)}1${'}'.repeat(32)}`)).status).toBe(201);
    expect((await send(`{${Array.from({ length: 1000 }, (_, index) => `"k${index}":1`).join(',')}}`)).status).toBe(201);
  });

  it('honest texts with colons, quotes, escapes, emoji and words of JavaScript arrive as they are', async () => {
    const body = {
      'a:b': '{"x":[1,2]} \\ " : \u2028 🙂',
      'constructor': 'name',
      'prototype': 1,
      'list': [1.5, null, true, { deep: [] }],
    };
    expect(await app.request('POST', '/things', { body })).toMatchObject({ status: 201, body: { body } });
  });
});

describe('No body is no broken body', () => {
  it.each(['POST', 'PATCH', 'DELETE'])(
    'a client names the type on every call and sends nothing by %s: taken as no body',
    async (method) => {
      const path = method === 'POST' ? '/things' : '/things/1';
      const framings: Record<string, string>[] = [{}, { 'content-length': '0' }, { 'transfer-encoding': 'chunked' }];
      for (const headers of framings) {
        const answer = await app.request(method, path, { headers: { 'content-type': 'application/json', ...headers } });
        expect(answer.status).toBe(method === 'POST' ? 201 : 200);
        expect(answer.body).toEqual({});
      }
    },
  );

  it('signs out, or forgets the body, with the type and nothing behind it: 204, and 422', async () => {
    const service = await startApp({ instances: 1 });
    const headers = { 'content-type': 'application/json' };
    const { token } = await signUp(service, 'client');
    const empty = await service.request('POST', '/v1/auth/login', { headers });
    const signedOut = await service.request('POST', '/v1/auth/logout', { token, headers });
    await service.close();
    expect(signedOut.status).toBe(204);
    expect(empty.status).toBe(422);
    expect(empty.body.errors.map(({ pointer }: { pointer: string }) => pointer).toSorted()).toEqual([
      '/email',
      '/password',
    ]);
  });

  it('sends nothing as a text or compressed: 415 all the same', async () => {
    expect((await send('', { 'content-type': 'application/json; charset=utf-16' })).status).toBe(415);
    expect((await send('', { 'content-encoding': 'gzip' })).status).toBe(415);
  });
});

describe('Only application/json is read (ASVS 3.5.2, 4.1.1)', () => {
  const types = [
    'text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'text/json',
    'application/xml',
    'application/json; charset=utf-16', 'application/json; charset=latin1', 'application/json; profile=x',
    'application/problem+json', 'application/json, text/plain', 'json', '*/*',
  ]; // prettier-ignore

  it.each(types)('sends %s: 415 [A8-3] [practice 6.2]', async (type) => {
    expect(await send('{"a":1}', { 'content-type': type })).toMatchObject({
      status: 415,
      body: { type: '/problems/unsupported-media-type' },
    });
  });

  it.each(['gzip', 'br', 'deflate', 'zstd', 'identity, gzip'])(
    'sends a body in %s: 415, never inflated [A4-1]',
    async (coding) => {
      expect((await send('{"a":1}', { 'content-encoding': coding })).status).toBe(415);
    },
  );

  it.each([
    'application/json',
    'application/json; charset=utf-8',
    'application/json;charset=UTF-8',
    'Application/JSON',
  ])('sends %s: accepted', async (type) => {
    expect((await send('{"a":1}', { 'content-type': type })).status).toBe(201);
  });
});
