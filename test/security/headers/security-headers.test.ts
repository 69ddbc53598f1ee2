import { Controller, Get, HttpException } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Problem } from '../../../src/common/http/problem.js';
import { exchange } from '../raw.js';
import { startSmallApp, type SmallApp } from '../small-app.js';

@Controller('answers')
class AnswersController {
  @Get('nothing')
  nothing(): void {}

  @Get('teapot')
  teapot(): never {
    throw new HttpException('short and stout', 418);
  }

  @Get('fault')
  fault(): never {
    throw new Error('a fault');
  }

  @Get('unavailable')
  unavailable(): never {
    throw new Problem('unavailable');
  }
}

let app: SmallApp;
beforeAll(async () => {
  app = await startSmallApp({ controllers: [AnswersController], env: { CORS_ORIGINS: 'https://app.example.org' } });
});
afterAll(() => app.close());

const expected = {
  'content-security-policy': "default-src 'none';frame-ancestors 'none';base-uri 'none';form-action 'none';sandbox",
  'strict-transport-security': 'max-age=63072000; includeSubDomains; preload',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': expect.stringContaining('camera=()'),
  'cache-control': 'no-store',
  'x-request-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
};

describe('Every answer of every layer carries the headers (practice 1.4, 3.3; ASVS 3.4; abuse case A8-1)', () => {
  const head = 'HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n';
  const origin = 'Origin: https://evil.example\r\n';
  const table: [string, number, string][] = [
    ['a handler', 200, `GET /things ${head}\r\n`],
    ['a handler by HEAD', 200, `HEAD /things ${head}\r\n`],
    ['OPTIONS', 204, `OPTIONS /things ${head}\r\n`],
    [
      'a preflight',
      204,
      `OPTIONS /things ${head}Origin: https://app.example.org\r\nAccess-Control-Request-Method: POST\r\n\r\n`,
    ],
    ['a refused preflight', 403, `OPTIONS /things ${head}${origin}Access-Control-Request-Method: POST\r\n\r\n`],
    ['broken JSON', 400, `POST /things ${head}Content-Type: application/json\r\nContent-Length: 1\r\n\r\n{`],
    ['an unknown route', 404, `GET /nothing-here ${head}\r\n`],
    ['an unsupported method', 405, `PUT /things ${head}\r\n`],
    ['a wrong media type', 415, `POST /things ${head}Content-Type: text/plain\r\nContent-Length: 1\r\n\r\n{`],
    [
      'a body that is announced too large',
      413,
      `POST /things ${head}Content-Type: application/json\r\nContent-Length: 99999\r\n\r\n`,
    ],
    ['a target that the router cannot read', 400, `GET /%zz ${head}\r\n`],
    ['a segment that is too long', 414, `GET /things/${'a'.repeat(200)} ${head}\r\n`],
    ['a foreign host', 421, 'GET /things HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n'],
    ['no host', 400, 'GET /things HTTP/1.1\r\nConnection: close\r\n\r\n'],
    ['HTTP/1.0', 400, 'GET /things HTTP/1.0\r\n\r\n'],
    ['a parser error', 400, 'rubbish\r\n\r\n'],
    ['headers that are too large', 431, `GET /things ${head}X: ${'a'.repeat(20_000)}\r\n\r\n`],
    ['an odd exception', 400, `GET /answers/teapot ${head}\r\n`],
    ['a fault', 500, `GET /answers/fault ${head}\r\n`],
    ['an outage', 503, `GET /answers/unavailable ${head}\r\n`],
    [
      'an upgrade',
      200,
      `GET /things HTTP/1.1\r\nHost: localhost\r\nConnection: upgrade, close\r\nUpgrade: websocket\r\n\r\n`,
    ],
    ['an odd target', 400, `GET * ${head}\r\n`],
    ['an odd target that the router would take for a path', 404, `GET *things ${head}\r\n`],
  ];

  it.each(table)('%s (%i) [A8-1] [practice 1.4] [ASVS 3.4.1]', async (_name, status, bytes) => {
    const answer = await exchange(app, bytes);
    expect(answer.status).toBe(status);
    expect(answer.headers).toMatchObject(expected);
    for (const name of ['server', 'x-powered-by', 'via']) expect(answer.headers).not.toHaveProperty(name);
  });
});
