import { createHash } from 'node:crypto';
import { request as httpsRequest } from 'node:https';
import { Controller, Get, Logger, Req } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requestContext } from '../../../src/common/http/request-context.js';
import { createLogger } from '../../../src/security/logging/logger.js';
import { NestLogger } from '../../../src/security/logging/nest-logger.js';
import { redactText } from '../../../src/security/logging/redaction.js';
import { exchange } from '../raw.js';
import { startSmallApp, type SmallApp } from '../small-app.js';

const userId = '01900000-0000-7000-8000-000000000001';

@Controller('who')
class WhoController {
  private readonly logger = new Logger('Who');

  @Get()
  async who(@Req() request: { id: string }) {
    const context = requestContext();
    if (context !== undefined)
      context.principal = {
        kind: 'person',
        userId,
        sessionId: userId,
        roles: [],
        authenticatedAt: new Date(),
        methods: [],
        factorDue: false,
        enrolmentDue: false,
        inBrowser: false,
      };
    await new Promise((resolve) => setTimeout(resolve, 5));
    this.logger.log('asked');
    return { same: requestContext()?.requestId === request.id };
  }

  @Get('faulty')
  faulty(): never {
    throw new Error('faulty');
  }
}

let app: SmallApp;
beforeAll(async () => {
  app = await startSmallApp({ controllers: [WhoController] });
});
afterAll(() => app.close());

const lineOf = (id: string | undefined, action = 'http_request') =>
  app.logLine((line) => line['http.request.id'] === id && (action === '' || line['event.action'] === action));

describe('One line per exchange (practice 10.1, ASVS 16.2)', () => {
  it('who, from where, what, with what outcome, how long [practice 10.1] [ASVS 16.2.1]', async () => {
    const { headers, body } = await app.request('GET', '/who?secret=1', { token: 'aaa.bbb.ccc', from: '127.0.0.66' });
    expect(body).toEqual({ same: true });
    const line = await lineOf(headers['x-request-id']);
    expect(line).toMatchObject({
      'log.level': 'info',
      'event.action': 'http_request',
      'event.outcome': 'success',
      'http.request.method': 'GET',
      'http.response.status_code': 200,
      'http.route': '/who',
      'url.path': '/who',
      'client.address': '127.0.0.66',
      'user.id': userId,
      'credential.fingerprint': createHash('sha256').update('aaa.bbb.ccc').digest('hex').slice(0, 8),
    });
    expect(line['event.duration']).toBeGreaterThan(4e6);
    expect(line['@timestamp']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  it('which handler it came to, and how much of the time that took: a slow client is no slow handler', async () => {
    const { headers } = await app.request('GET', '/things/slow');
    const line = await lineOf(headers['x-request-id']);
    expect(line['code.function.name']).toBe('ThingsController.slow');
    expect(line['http.handler.duration']).toBeGreaterThan(290e6);
    expect(line['event.duration']).toBeGreaterThanOrEqual(line['http.handler.duration'] as number);
  });

  it('the handler throws: its time is in the record, and the status of the answer', async () => {
    const { headers } = await app.request('GET', '/who/faulty');
    const line = await lineOf(headers['x-request-id']);
    expect(line).toMatchObject({ 'code.function.name': 'WhoController.faulty', 'http.response.status_code': 500 });
    expect(line['http.handler.duration']).toBeGreaterThan(0);
  });

  it('what a handler logs carries the id and the user of its request [ASVS 16.2.1]', async () => {
    const { headers } = await app.request('GET', '/who');
    const line = await app.logLine(
      (entry) => entry['message'] === 'asked' && entry['http.request.id'] === headers['x-request-id'],
    );
    expect(line).toMatchObject({ 'log.logger': 'Who', 'user.id': userId });
  });

  it('sends an id of its own: ours counts [practice 3.4]', async () => {
    const { headers } = await app.request('GET', '/who', {
      headers: { 'x-request-id': 'forged', 'request-id': 'forged' },
    });
    expect(headers['x-request-id']).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
  });

  it('breaks off before the answer: logged without a status', async () => {
    const before = app.logs().length;
    await new Promise<void>((resolve) => {
      const call = httpsRequest({
        host: '127.0.0.1',
        servername: 'localhost',
        port: app.port,
        path: '/things/slow',
        ca: app.ca,
        agent: false,
        headers: { host: 'localhost' },
      });
      call.on('error', () => resolve()).end();
      setTimeout(() => call.destroy(), 80);
    });
    const line = await app.logLine(
      (entry) => app.logs().indexOf(entry) !== 0 && entry['message'] === 'GET /things/slow aborted',
    );
    expect(line['http.response.status_code']).toBeUndefined();
    expect(app.logs().length).toBeGreaterThan(before);
  });

  it.each([
    ['a parser error', 'rubbish\r\n\r\n', 400],
    ['an unreadable target', 'GET /%zz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n', 400],
    ['an unknown route', 'GET /nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n', 404],
    ['a refused host', 'GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n', 421],
  ])('%s is logged too [practice 10.1] [ASVS 16.3.3]', async (_name, bytes, status) => {
    const answer = await exchange(app, bytes);
    const line = await lineOf(answer.headers['x-request-id']);
    expect(line).toMatchObject({ 'http.response.status_code': status, 'client.address': '127.0.0.1' });
    // It came to none, and nothing may look as if it had.
    expect(line).not.toHaveProperty('code.function.name');
  });
});

describe('No secret and no personal data in the log (practice 7.4, ASVS 16.2.5, 14.2.1)', () => {
  it('query, body, credential and cookie never reach a line', async () => {
    const marks = ['canary-query', 'canary-body', 'canary-token', 'canary-cookie', 'canary-header'];
    const { headers } = await app.request('POST', '/things?q=canary-query', {
      body: { password: 'canary-body' },
      token: 'canary-token',
      headers: { 'cookie': 'a=canary-cookie', 'user-agent': 'canary-header' },
    });
    await lineOf(headers['x-request-id']);
    for (const mark of marks) expect(app.logText()).not.toContain(mark);
  });
});

/** What one call of Nest's logger writes. */
function written(call: (logger: NestLogger) => void): { text: string; line: Record<string, unknown> } {
  const lines: string[] = [];
  call(new NestLogger(createLogger({ logLevel: 'debug' }, { write: (line) => void lines.push(line) })));
  return { text: lines.join(''), line: JSON.parse(lines[0] ?? '{}') as Record<string, unknown> };
}

describe('What a client puts into a path by mistake (practice 7.4, ASVS 16.2.5)', () => {
  const mistakes = [
    'd7Hc0-kQ4nVb2mXz8sRt1yUw3eAo5iPl6gJf9hKq',
    '482913',
    'K7F2M-9X3QA-ZZT01-00AAB-8YHJK',
    'alice%40example.org',
    'eyJhbGciOiJFUzI1NiJ9.e30.AAAA',
    'violet-harbour',
  ];
  it.each(mistakes)(
    '%s in a path that is refused: the log has its length [practice 7.4] [ASVS 16.2.5]',
    async (secret) => {
      for (const path of [`/nothing/${secret}`, `/things/x/${secret}?token=${secret}`, `/${secret}/%zz`]) {
        const { headers } = await app.request('GET', path);
        const line = await lineOf(headers['x-request-id']);
        expect(line['url.path']).toContain(`[${secret.length}]`);
      }
      expect(app.logText()).not.toContain(secret);
    },
  );

  it('an id and the words of routes stay: what was asked for can be found again', async () => {
    const { headers } = await app.request('GET', `/things/${userId}/who`);
    expect((await lineOf(headers['x-request-id']))['url.path']).toBe(`/things/${userId}/who`);
  });
});

describe('Log lines cannot be forged (practice 3.4, ASVS 16.4.1)', () => {
  it.each([
    '\r\n',
    '\n',
    '\u0000',
    '\u001b[2J',
    '\u007f',
    '\u0085',
    '\u009b31m',
    '\u2028',
    '\u2029',
    '\u202e',
    '\u2066',
  ])('puts %j into a value: one line, no such character, the value is kept [practice 3.4] [ASVS 16.4.1]', (trap) => {
    const value = `before${trap}{"log.level":"info","message":"forged"}`;
    const { text, line } = written((logger) => logger.warn({ 'message': value, 'url.path': value }, 'Test'));
    expect(text.match(/\n/g)).toHaveLength(1);
    expect(text.trimEnd()).not.toContain(trap);
    expect(line['message']).toBe(value);
  });

  it('puts the same into a path: one line per request', async () => {
    const { headers } = await app.request('GET', '/things/a%0d%0a%7b%22message%22:%22forged%22%7d');
    expect((await lineOf(headers['x-request-id']))['url.path']).toContain('%0d%0a');
  });

  it('rewrites a field of the log by an object: the object is only a field', () => {
    const { line } = written((logger) => logger.log({ message: 'm', data: { 'log.level': 'fatal' } }, 'Test'));
    expect(line['log.level']).toBe('info');
  });
});

describe('The second guard: redaction (practice 7.4)', () => {
  it('16,000 characters like the beginning of every secret do not stop the service [ASVS 1.3.12]', () => {
    // Quadratic patterns take most of a second for each of these, and the test its time-out.
    for (const text of ['a', 'a.', 'http://a', 'eyJ.', 'Bearer ', 'enc:v1:']) {
      const hostile = text.repeat(16_000 / text.length);
      for (let count = 0; count < 200; count++) expect(redactText(hostile).length).toBeGreaterThan(0);
    }
  });

  it('an object that somebody logs in a hurry loses its secrets, however deep', () => {
    const user = {
      id: 1,
      email: 'a@example.org',
      Password: 'x',
      nested: { access_token: 't', list: [{ Authorization: 'Bearer z' }] },
    };
    const { line, text } = written((logger) => logger.log({ message: 'user', user }, 'Test'));
    expect(line['user']).toEqual({
      id: 1,
      email: '[redacted]',
      Password: '[redacted]',
      nested: { access_token: '[redacted]', list: [{ Authorization: '[redacted]' }] },
    });
    expect(text).not.toContain('example.org');
  });

  const named =
    'password oldPassword new_password passwordHash passphrase secret clientSecret token tokens refreshToken ' +
    'access-token deviceToken id_token cookie Set-Cookie authorization Proxy-Authorization code codes totpCode ' +
    'recoveryCodes qrCode apiKey privateKey signing_key seed credential credentials otp pin jwt assertion email ' +
    'newEmail phone name firstName note address body x.http.authorization';
  it.each(named.split(' '))('the value of %s is cut [practice 7.4] [ASVS 16.2.5]', (key) => {
    const { text } = written((logger) =>
      logger.log({ message: 'm', data: { [key]: 'canary', list: [{ [key]: ['canary'] }] } }, 'Test'),
    );
    expect(text).not.toContain('canary');
  });

  it('bytes, errors and what is deep are cut as well; codes of status are not', () => {
    const data = {
      'raw': Buffer.from('canary'),
      'failed': Object.assign(new Error('canary'), { detail: 'canary' }),
      'http.response.status_code': 404,
    };
    const { text, line } = written((logger) => logger.log({ message: 'm', data }, 'Test'));
    expect(text).not.toMatch(/canary|99,97/);
    expect(line['data']).toEqual({ 'raw': '[bytes]', 'failed': '[Error]', 'http.response.status_code': 404 });
  });

  it.each([
    'Basic YWxpY2U6aHVudGVyMg==',
    'basic YWxpY2U6aHVudGVyMg==',
    'Bearer abc.def',
    'd7Hc0-kQ4nVb2mXz8sRt1yUw3eAo5iPl6gJf9hKq',
  ])('%s is cut out of a text', (secret) => {
    const { text } = written((logger) => logger.warn(`it sent ${secret} and more`, 'Test'));
    expect(text).not.toContain(secret.split(' ').at(-1));
    expect(text).toContain('and more');
  });

  it('messages and stacks of libraries lose addresses, tokens, cells and passwords of URLs', () => {
    const secrets =
      'alice@example.org Bearer abc.def eyJhbGciOi.eyJzdWIi.c2ln enc:v1:key:AAAA postgresql://app:hunter2@db/app';
    const { text } = written((logger) => logger.error(new Error(`failed: ${secrets}`), 'Test'));
    for (const part of ['alice@', 'abc.def', 'eyJ', 'AAAA', 'hunter2']) expect(text).not.toContain(part);
    expect(text).toContain('postgresql://app:[password]@db/app');
  });

  it('whatever is logged, logging itself does not throw', () => {
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    for (const value of [undefined, null, 1n, Symbol('s'), () => 1, circle, new Error('e', { cause: circle })]) {
      expect(() => written((logger) => logger.error(value, 'Test'))).not.toThrow();
    }
  });
});
