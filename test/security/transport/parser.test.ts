import { Controller, Get, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exchange, open, readToEnd } from '../raw.js';
import { startSmallApp, type SmallApp } from '../small-app.js';

@Controller('half')
class HalfController {
  @Get()
  begin(@Res() reply: FastifyReply): void {
    reply.raw.writeHead(200, { 'content-length': 10 }).write('12345');
  }
}

let app: SmallApp;
beforeAll(async () => {
  app = await startSmallApp({
    controllers: [HalfController],
    bounds: { headersTimeout: 400, requestTimeout: 800, checkInterval: 100 },
  });
});
afterAll(() => app.close());

const post = 'POST /things HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n';

describe('The HTTP parser takes one meaning only (abuse case A8-4, RFC 9112 section 11)', () => {
  const attacks: [string, string][] = [
    [
      'a content length beside a transfer coding',
      `${post}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /things HTTP/1.1\r\nHost: ` +
        `localhost\r\n\r\n`,
    ],
    ['two different content lengths', `${post}Content-Length: 2\r\nContent-Length: 20\r\n\r\n{}`],
    ['two equal content lengths', `${post}Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}`],
    ['a list of content lengths', `${post}Content-Length: 2, 2\r\n\r\n{}`],
    ['an obfuscated transfer coding', `${post}Transfer-Encoding: xchunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`],
    ['chunked hidden before another coding', `${post}Transfer-Encoding: chunked, identity\r\n\r\n2\r\n{}\r\n0\r\n\r\n`],
    ['a space before the colon', `${post}Content-Length : 2\r\n\r\n{}`],
    ['a bare line feed in the head', 'GET /things HTTP/1.1\nHost: localhost\n\n'],
    ['a bare line feed after one field', 'GET /things HTTP/1.1\r\nHost: localhost\nX: y\r\n\r\n'],
    ['a folded header line', 'GET /things HTTP/1.1\r\nHost: localhost\r\nX: a\r\n b\r\n\r\n'],
    ['a NUL in a header', 'GET /things HTTP/1.1\r\nHost: localhost\r\nX: a\0b\r\n\r\n'],
    ['a bare carriage return in a header', 'GET /things HTTP/1.1\r\nHost: localhost\r\nX: a\rb\r\n\r\n'],
    ['a negative content length', `${post}Content-Length: -1\r\n\r\n`],
    ['a chunk size that is no number', `${post}Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n`],
    ['an unknown verb', 'BREW /things HTTP/1.1\r\nHost: localhost\r\n\r\n'],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['a request line of rubbish', '\x16\x03\x01 rubbish\r\n\r\n'],
  ];

  it.each(attacks)('sends %s: 400, one answer, connection closed [A8-4] [ASVS 4.2.1]', async (_name, bytes) => {
    const answer = await exchange(app, bytes);
    expect(answer).toMatchObject({ status: 400, answers: 1 });
    expect(answer.headers).toMatchObject({
      'content-type': 'application/problem+json; charset=utf-8',
      'connection': 'close',
    });
    expect(JSON.parse(answer.body)).toMatchObject({
      type: '/problems/malformed-request',
      requestId: answer.headers['x-request-id'],
    });
  });

  it('pipelines a smuggled request behind a refused one: it is never answered [A8-4]', async () => {
    const answer = await exchange(
      app,
      `${post}Content-Length: 2\r\nContent-Length: 0\r\n\r\n{}DELETE /things/1 HTTP/1.1\r\nHost: localhost\r\n\r\n`,
    );
    expect(answer.answers).toBe(1);
    expect(app.logText()).not.toContain('DELETE');
  });

  it('sends a header of 64 KiB: 431 [A4-1] [practice 6.2]', async () => {
    const answer = await exchange(app, `GET /things HTTP/1.1\r\nHost: localhost\r\nX: ${'a'.repeat(65536)}\r\n\r\n`);
    expect(answer.status).toBe(431);
    expect(JSON.parse(answer.body)).toMatchObject({ type: '/problems/header-fields-too-large', status: 431 });
  });

  it('sends 10,000 headers: 431 [A4-1]', async () => {
    const fields = Array.from({ length: 10_000 }, (_, index) => `X${index}: a\r\n`).join('');
    expect((await exchange(app, `GET /things HTTP/1.1\r\nHost: localhost\r\n${fields}\r\n`)).status).toBe(431);
  });

  it.each([101, 1500, 3000])(
    'sends %i tiny headers, which the parser would take or drop in silence: 431 [A4-1]',
    async (count) => {
      const fields = 'a:\r\n'.repeat(count);
      expect(
        (await exchange(app, `GET /things HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${fields}\r\n`)).status,
      ).toBe(431);
    },
  );

  it('lets the header trickle in: 408 and a closed connection [A4-1] [ASVS 15.2.2]', async () => {
    const answer = await exchange(app, 'GET /things HTTP/1.1\r\nHost: localhost\r\nX: a');
    expect(answer.status).toBe(408);
    expect(answer.headers).toMatchObject({
      // With: headers.
      'strict-transport-security': expect.any(String),
      // With: headers.
      'content-security-policy': expect.any(String),
      // With: headers.
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
      'connection': 'close',
    });
    expect(JSON.parse(answer.body)).toMatchObject({ type: '/problems/request-timeout', status: 408 });
  });

  it('lets the body trickle in: 408 and a closed connection [A4-1]', async () => {
    const answer = await exchange(app, `${post}Content-Length: 20\r\n\r\n{"a":`);
    expect(answer).toMatchObject({ status: 408, answers: 1 });
    expect(app.logText()).not.toContain('sys_error');
  });

  it('sends chunks without end: 413 after 64 KiB, connection closed [A4-1]', async () => {
    const socket = await open(app);
    const closed = readToEnd(socket);
    socket.write(`${post}Transfer-Encoding: chunked\r\n\r\n`);
    for (let sent = 0; sent < 40 && !socket.destroyed; sent++) socket.write(`1000\r\n${'x'.repeat(4096)}\r\n`);
    expect(await closed).toMatchObject({ status: 413, headers: { connection: 'close' } });
  });

  it('floods a chunk with extensions: refused, connection closed [A8-4]', async () => {
    const answer = await exchange(
      app,
      `${post}Transfer-Encoding: chunked\r\n\r\n2;${'x'.repeat(20_000)}\r\n{}\r\n0\r\n\r\n`,
    );
    expect(answer.status).toBe(413);
  });

  it('asks for a tunnel: closed without one [A8-5] [ASVS 13.4.4]', async () => {
    const answer = await exchange(app, 'CONNECT 10.0.0.1:22 HTTP/1.1\r\nHost: localhost\r\n\r\n');
    expect(answer.status).not.toBe(200);
    expect(answer.answers).toBeLessThanOrEqual(1);
  });

  it('expects something unknown: answered like any request, with all headers', async () => {
    const answer = await exchange(
      app,
      'GET /things HTTP/1.1\r\nHost: localhost\r\nExpect: a-miracle\r\nConnection: close\r\n\r\n',
    );
    expect(answer.status).toBe(200);
    // With: headers.
    expect(answer.headers['strict-transport-security']).toBeDefined();
  });

  it('sends rubbish while an answer is on its way: cut, no second answer inside the first [A8-4]', async () => {
    const socket = await open(app);
    const closed = readToEnd(socket);
    socket.write('GET /half HTTP/1.1\r\nHost: localhost\r\n\r\n');
    socket.once('data', () => socket.write('rubbish\r\n\r\n'));
    expect(await closed).toMatchObject({ status: 200, answers: 1, body: '12345' });
  });

  it('an honest pipeline of two requests: two answers', async () => {
    const request = 'GET /things HTTP/1.1\r\nHost: localhost\r\n';
    const answer = await exchange(app, `${request}\r\n${request}Connection: close\r\n\r\n`);
    expect(answer).toMatchObject({ status: 200, answers: 2 });
  });
});
