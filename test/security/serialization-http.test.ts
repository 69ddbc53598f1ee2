import { Controller, Get, HttpCode, Post } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signUp, type Actor } from '../support/actors.js';
import { startApp, type TestApp } from '../support/app.js';
import { SamplesModule } from '../support/sample/samples.module.js';
import { createSample } from '../support/sample/samples.js';
import { exchange } from './raw.js';
import { startSmallApp, type SmallApp } from './small-app.js';

@Controller('empty')
class EmptyController {
  @Get()
  @HttpCode(204)
  empty(): void {}

  @Post()
  text(): object {
    return { text: 'ä ß 😀 \u2028' };
  }
}

let small: SmallApp;
let app: TestApp;
let alice: Actor;
beforeAll(async () => {
  small = await startSmallApp({ controllers: [EmptyController] });
  app = await startApp({ modules: [SamplesModule], instances: 1 });
  alice = await signUp(app, 'alice');
});
afterAll(async () => {
  await small.close();
  await app.close();
});

const head = (method: string, path: string, more = '') =>
  `${method} ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${more}\r\n`;
const json = 'Content-Type: application/json\r\nContent-Length: 2\r\n';

describe('The length that is announced is the length that is sent (RFC 9112 section 6) [ASVS 4.2.2]', () => {
  it.each([
    ['an answer', head('GET', '/things')],
    ['an answer with characters of several bytes', `${head('POST', '/empty', json)}{}`],
    ['a refusal of the router', head('GET', '/nothing')],
    ['a refusal of the method', head('PURGE', '/things')],
    ['a refusal of the parser', head('GET', '/things', 'X: a\r\n b\r\n')],
    ['a refusal of the body', `${head('POST', '/things', json)}{]`],
  ])('%s: one length, in bytes, and no transfer coding beside it', async (_, bytes) => {
    const { headers, body, answers } = await exchange(small, bytes);
    expect([answers, headers['content-length'], headers['transfer-encoding']]).toEqual([
      1,
      String(Buffer.byteLength(body, 'latin1')),
      undefined,
    ]);
  });

  it('HEAD: the length of the answer to GET, and no byte of it', async () => {
    const get = await exchange(small, head('GET', '/things'));
    const { status, headers, body } = await exchange(small, head('HEAD', '/things'));
    expect([status, headers['content-length'], body]).toEqual([200, get.headers['content-length'], '']);
  });

  it('204: neither a length nor a body', async () => {
    const { status, headers, body } = await exchange(small, head('GET', '/empty'));
    expect([status, headers['content-length'], headers['transfer-encoding'], body]).toEqual([
      204,
      undefined,
      undefined,
      '',
    ]);
  });

  // With: headers.
  it('a preflight: 204 without a body as well', async () => {
    const { status, headers, body } = await exchange(small, head('OPTIONS', '/things'));
    expect([status, headers['content-length'], body]).toEqual([204, undefined, '']);
  });
});

describe('The type that is announced is the type that is sent [ASVS 4.1.1]', () => {
  it('answers, lists, refusals and pages: the charset is UTF-8, the bytes are, and JSON is JSON', async () => {
    const { id } = await createSample(app, alice, { title: 'ä ß 😀', body: '社會' });
    const token = alice.token;
    const answers = await Promise.all([
      app.request('GET', `/v1/samples/${id}`, { token }),
      app.request('GET', '/v1/samples', { token }),
      app.request('GET', '/v1/users/me', { token }),
      app.request('GET', '/v1/users/me'),
      app.request('GET', '/nothing'),
      app.request('GET', '/%zz'),
      app.request('PUT', '/v1/samples', { token }),
      app.request('POST', '/v1/samples', { token, body: {} }),
      app.request('GET', '/.well-known/jwks.json'),
      // With: api-docs.
      app.request('GET', '/openapi.json'),
      // With: api-docs.
      app.request('GET', '/docs'),
      app.request('GET', '/problems', { headers: { accept: 'text/html' } }),
    ]);
    for (const { status, headers, text, body } of answers) {
      const type = headers['content-type'] ?? '';
      expect(type).toMatch(
        status >= 400
          ? /^application\/problem\+json; charset=utf-8$/
          : /^(application\/json|text\/html); charset=utf-8$/,
      );
      // With: headers.
      expect(headers['x-content-type-options']).toBe('nosniff');
      expect(text).not.toContain('\ufffd');
      if (type.includes('json')) expect(typeof body).toBe('object');
      else expect(text).toMatch(/^<!doctype html>/);
    }
  });
});

// With: logging.
describe('Headers that a proxy sets are believed from nobody [ASVS 4.1.3]', () => {
  it.each([
    'x-forwarded-for',
    'x-real-ip',
    'forwarded',
    'cf-connecting-ip',
    'true-client-ip',
    'x-client-ip',
    'x-forwarded-host',
    'x-forwarded-proto',
    'x-forwarded-port',
    'x-original-url',
    'x-rewrite-url',
    'x-user-id',
    'x-user',
    'x-authenticated-user',
    'x-roles',
    'x-ssl-client-verify',
    'x-client-cert',
    'x-forwarded-client-cert',
  ])('%s: neither another address in the log, nor another route, nor somebody who is signed in', async (name) => {
    const from = '127.99.0.1';
    const value =
      name === 'forwarded'
        ? 'for=198.51.100.7;host=evil.example;proto=http'
        : name.includes('url')
          ? '/.well-known/jwks.json'
          : name.includes('user') || name.includes('roles')
            ? alice.userId
            : '198.51.100.7';
    const { status, headers } = await app.request('GET', '/v1/users/me', { from, headers: { [name]: value } });
    expect(status).toBe(401);
    for (let attempt = 0; attempt < 100; attempt++) {
      const line = app
        .logs()
        .find(
          (entry) => entry['http.request.id'] === headers['x-request-id'] && entry['event.action'] === 'http_request',
        );
      if (line !== undefined)
        return expect([line['client.address'], line['http.route'], line['user.id']]).toEqual([
          from,
          '/v1/users/me',
          undefined,
        ]);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error('the request was not logged');
  });
});
