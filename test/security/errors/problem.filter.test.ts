import { Controller, ForbiddenException, Get, HttpException, NotFoundException, Res, UnauthorizedException } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Problem, type ProblemType } from '../../../src/common/problem.js';
import { startSmallApp, type SmallApp } from '../small-app.js';

const leak = 'SELECT * FROM users WHERE email = $1 at /srv/app/dist/users.js:12 (PostgreSQL 15.4)';
const withCode = (code: string, name = 'PrismaClientKnownRequestError') => Object.assign(new Error(leak), { code, name });

/** Everything that can come out of a handler. */
const thrown: Record<string, () => unknown> = {
  'an error': () => new Error(leak, { cause: new Error(`inner ${leak}`) }),
  'a text': () => leak,
  'a number': () => 42,
  'undefined': () => undefined,
  'null': () => null,
  'an object with a status': () => ({ statusCode: 200, message: leak }),
  'an object that throws when it is read': () => new Proxy({}, { get: () => { throw new Error(leak); } }),
  'an error with a status of its own': () => Object.assign(new Error(leak), { statusCode: 404, status: 404, expose: true }),
  'a sealed cell that cannot be opened': () => Object.assign(new Error(leak), { name: 'FieldEncryptionError', code: 'wrong-tag' }),
  'an unknown code of Prisma': () => withCode('P2010'),
  'a validation error of Prisma': () => Object.assign(new Error(leak), { name: 'PrismaClientValidationError' }),
  'an exception of Nest with 500': () => new HttpException(leak, 500),
};

@Controller('throws')
class ThrowsController {
  static next: () => unknown;

  @Get()
  throwIt(): never {
    throw ThrowsController.next();
  }

  @Get('async')
  async throwLater(): Promise<never> {
    await Promise.resolve();
    throw ThrowsController.next();
  }

  @Get('half')
  half(@Res() reply: FastifyReply): never {
    reply.raw.writeHead(200, { 'content-length': 10 });
    reply.raw.write('12345');
    throw new Error(leak);
  }
}

let app: SmallApp;
beforeAll(async () => {
  app = await startSmallApp({ controllers: [ThrowsController] });
});
afterAll(() => app.close());

function throwing(value: () => unknown, path = '/throws', headers: Record<string, string> = {}) {
  ThrowsController.next = value;
  return app.request('GET', path, { headers });
}

describe('Nothing leaks, whatever breaks (practices 6.1, 6.3, 6.4; ASVS 16.5.1; abuse case A8-2)', () => {
  it.each(Object.entries(thrown))('a handler throws %s: 500 with the id and nothing else [A8-2] [practice 6.4] [ASVS 16.5.1]', async (_name, value) => {
    for (const path of ['/throws', '/throws/async']) {
      const { status, headers, body } = await throwing(value, path);
      expect(status).toBe(500);
      expect(body).toEqual({
        type: '/problems/internal-error',
        title: 'Something went wrong on our side',
        status: 500,
        requestId: headers['x-request-id'],
      });
    }
  });

  it('the log has the stack and the cause under the id that the client was given [practice 6.3] [ASVS 16.5.1]', async () => {
    const { headers } = await throwing(() => new Error('outer', { cause: new TypeError('inner') }));
    const line = await app.logLine((entry) => entry['event.action'] === 'sys_error' && entry['http.request.id'] === headers['x-request-id']);
    expect(line).toMatchObject({ 'log.level': 'error', 'error.type': 'Error', 'error.message': 'outer', 'http.route': '/throws' });
    expect(line['error.stack_trace']).toContain('problem.filter.test.ts');
    expect(line['error.stack_trace']).toContain('caused by: TypeError: inner');
  });

  it('a caller\'s fault is no error of ours: no stack in the log', async () => {
    const { headers } = await throwing(() => new Problem('forbidden', 'Not yours.'));
    await app.logLine((entry) => entry['http.request.id'] === headers['x-request-id']);
    expect(app.logs().some((entry) => entry['http.request.id'] === headers['x-request-id'] && entry['log.level'] === 'error')).toBe(false);
  });

  it('fails in the middle of an answer: the connection is cut, no second answer is written into the first', async () => {
    await expect(app.request('GET', '/throws/half')).rejects.toThrow(/aborted|hang up/);
    const line = await app.logLine((entry) => entry['http.route'] === '/throws/half' && entry['event.action'] === 'sys_error');
    const id = line['http.request.id'];
    expect(app.logs().filter((entry) => entry['http.request.id'] === id && entry['log.level'] === 'error')).toHaveLength(1);
    expect((await app.request('GET', '/things')).status).toBe(200);
  });
});

describe('Every error has its status and its type (practice 6.2)', () => {
  it.each<[string, () => unknown, number, ProblemType]>([
    ['a unique constraint', () => withCode('P2002'), 409, 'conflict'],
    ['a row that is gone', () => withCode('P2025'), 404, 'not-found'],
    ['a database that is down', () => withCode('P1001'), 503, 'unavailable'],
    ['an empty pool', () => withCode('P2024'), 503, 'unavailable'],
    ['a refused connection', () => withCode('ECONNREFUSED', 'Error'), 503, 'unavailable'],
    ['a database that shuts down', () => withCode('57P01', 'DatabaseError'), 503, 'unavailable'],
    ['an exception of Nest', () => new ForbiddenException(leak), 403, 'forbidden'],
    ['a wrapped error of Fastify', () => new HttpException(leak, 413), 413, 'content-too-large'],
    ['a status without a type', () => new HttpException(leak, 402), 400, 'malformed-request'],
    ['a limiter', () => new HttpException(leak, 429), 429, 'too-many-requests'],
    ['a missing object', () => new NotFoundException(leak), 404, 'not-found'],
  ])('%s [practice 6.2]', async (_name, value, status, type) => {
    const answer = await throwing(value);
    expect(answer).toMatchObject({ status, body: { type: `/problems/${type}` } });
    expect(answer.text).not.toContain('SELECT');
    expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8');
    if (status === 503) expect(answer.headers['retry-after']).toBe('5');
  });

  it('a problem says what it was told to say: detail, faults and headers', async () => {
    const errors = [{ pointer: '/email', code: 'not-an-email-address', message: 'email must be an e-mail address' }];
    const answer = await throwing(() => new Problem('validation-failed', 'Mend the values.', { errors, headers: { 'Retry-After': '7' }, cause: new Error(leak) }));
    expect(answer.body).toMatchObject({ status: 422, detail: 'Mend the values.', errors });
    expect(answer.headers['retry-after']).toBe('7');
    expect(answer.text).not.toContain('SELECT');
  });

  it('401 says how to authenticate, and tells a wrong token from none (RFC 6750 section 3)', async () => {
    const without = await throwing(() => new Problem('unauthenticated'));
    expect(without).toMatchObject({ status: 401, headers: { 'www-authenticate': 'Bearer' } });
    const wrong = await throwing(() => new UnauthorizedException(leak), '/throws', { authorization: 'Bearer x' });
    expect(wrong.headers['www-authenticate']).toBe('Bearer error="invalid_token"');
  });
});
