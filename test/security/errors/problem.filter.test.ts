import {
  Catch,
  Controller,
  ForbiddenException,
  Get,
  HttpException,
  NotFoundException,
  Res,
  UnauthorizedException,
  UseFilters,
  type ExceptionFilter,
} from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { Problem, type GeneralProblem } from '../../../src/common/http/problem.js';
import { NestLogger } from '../../../src/security/logging/nest-logger.js';
import { startSmallApp, type SmallApp } from '../small-app.js';

const leak = 'SELECT * FROM users WHERE email = $1 at /srv/app/dist/users.js:12 (PostgreSQL 15.4)';
const withCode = (code: string, name = 'PrismaClientKnownRequestError') =>
  Object.assign(new Error(leak), { code, name });

const explode = (): never => {
  throw new Error(leak);
};
const explosive: object = new Proxy(new Error(leak), {
  get: () => {
    throw explosive;
  },
  getPrototypeOf: () => {
    throw explosive;
  },
  getOwnPropertyDescriptor: () => {
    throw explosive;
  },
  ownKeys: () => {
    throw explosive;
  },
  has: () => {
    throw explosive;
  },
});

/** Everything that can come out of a handler. */
const thrown: Record<string, () => unknown> = {
  'an error': () => new Error(leak, { cause: new Error(`inner ${leak}`) }),
  'a text': () => leak,
  'a number': () => 42,
  'undefined': () => undefined,
  'null': () => null,
  'an object with a status': () => ({ statusCode: 200, message: leak }),
  'an object that throws when it is read': () =>
    new Proxy(
      {},
      {
        get: () => {
          throw new Error(leak);
        },
      },
    ),
  'an error whose message and stack throw': () =>
    Object.defineProperties(new Error(leak), {
      message: { get: explode },
      stack: { get: explode },
      name: { get: explode },
      cause: { get: explode },
    }),
  'an error whose code throws': () => Object.defineProperty(new Error(leak), 'code', { get: explode }),
  'what throws itself whenever it is looked at': () => explosive,
  'an exception of Nest with 200': () => new HttpException(leak, 200),
  'an error with a status of its own': () =>
    Object.assign(new Error(leak), { statusCode: 404, status: 404, expose: true }),
  'a sealed cell that cannot be opened': () =>
    Object.assign(new Error(leak), { name: 'FieldEncryptionError', code: 'wrong-tag' }),
  'an unknown code of Prisma': () => withCode('P2010'),
  'a validation error of Prisma': () => Object.assign(new Error(leak), { name: 'PrismaClientValidationError' }),
  'an exception of Nest with 500': () => new HttpException(leak, 500),
};

@Catch()
class ThrowingFilter implements ExceptionFilter {
  catch(): never {
    throw new Error(`filter ${leak}`);
  }
}

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

  @Get('header')
  header(@Res({ passthrough: true }) reply: FastifyReply): object {
    reply.header('x-note', 'a\r\nset-cookie: b=c');
    return {};
  }

  @Get('filter')
  @UseFilters(ThrowingFilter)
  filtered(): never {
    throw new Error(leak);
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
  it.each(Object.entries(thrown))(
    'a handler throws %s: 500 with the id and nothing else [A8-2] [practice 6.4] [ASVS 16.5.1]',
    async (_name, value) => {
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
    },
  );

  // With: logging.
  it('the log has stack and cause under the id of the client [practice 6.3] [ASVS 16.5.1]', async () => {
    const { headers } = await throwing(() => new Error('outer', { cause: new TypeError('inner') }));
    const line = await app.logLine(
      (entry) => entry['event.action'] === 'sys_error' && entry['http.request.id'] === headers['x-request-id'],
    );
    expect(line).toMatchObject({
      'log.level': 'error',
      'error.type': 'Error',
      'error.message': 'outer',
      'http.route': '/throws',
    });
    expect(line['error.stack_trace']).toContain('problem.filter.test.ts');
    // The text of an engine's error may quote a value; where it happened does not.
    expect(line['error.stack_trace']).toMatch(/caused by: TypeError\n {4}at .*problem\.filter\.test\.ts/);
    expect(line['error.stack_trace']).not.toContain('inner');
  });

  // With: logging.
  it("a caller's fault is no error of ours: no stack in the log", async () => {
    const { headers } = await throwing(() => new Problem('forbidden', 'Not yours.'));
    await app.logLine((entry) => entry['http.request.id'] === headers['x-request-id']);
    expect(
      app
        .logs()
        .some((entry) => entry['http.request.id'] === headers['x-request-id'] && entry['log.level'] === 'error'),
    ).toBe(false);
  });

  it('fails in the middle of an answer: the connection is cut, no second answer is written', async () => {
    await expect(app.request('GET', '/throws/half')).rejects.toThrow(/aborted|hang up/);
    // With: logging.
    const line = await app.logLine(
      (entry) => entry['http.route'] === '/throws/half' && entry['event.action'] === 'sys_error',
    );
    // With: logging.
    const errors = app.logs().filter((entry) => entry['log.level'] === 'error');
    // With: logging.
    expect(errors.filter((entry) => entry['http.request.id'] === line['http.request.id'])).toHaveLength(1);
    expect((await app.request('GET', '/things')).status).toBe(200);
  });
});

describe('The service survives its own error handling [A8-2] [ASVS 16.5.4]', () => {
  afterEach(() => void vi.restoreAllMocks());

  const bare = (id: string | undefined) => ({
    type: '/problems/internal-error',
    title: 'Something went wrong on our side',
    status: 500,
    requestId: id,
  });

  it('a filter of the handler throws: 500 with the id and nothing else, and the next request is answered', async () => {
    const { status, headers, body } = await app.request('GET', '/throws/filter');
    expect([status, body]).toEqual([500, bare(headers['x-request-id'])]);
    expect((await app.request('GET', '/things')).status).toBe(200);
  });

  // With: logging.
  it('the log throws while a fault is written: 500 with the id, and the next fault is logged', async () => {
    vi.spyOn(NestLogger.prototype, 'error').mockImplementation(() => explode());
    const { status, headers, body } = await throwing(() => new Error(leak));
    expect([status, body]).toEqual([500, bare(headers['x-request-id'])]);
    vi.restoreAllMocks();
    const next = await throwing(() => new Error('seen again'));
    const line = await app.logLine(
      (entry) => entry['http.request.id'] === next.headers['x-request-id'] && entry['event.action'] === 'sys_error',
    );
    expect(line['error.message']).toBe('seen again');
  });

  // With: logging.
  it('what explodes when it is read is still logged under its id', async () => {
    const { headers } = await throwing(() => explosive);
    const line = await app.logLine(
      (entry) => entry['http.request.id'] === headers['x-request-id'] && entry['event.action'] === 'sys_error',
    );
    expect(line['message']).toBe('a request failed with what cannot be logged');
  });

  it('a line break in a header: neither split nor sent, 500 with every header of ours [ASVS 1.2.1]', async () => {
    const { status, headers, body } = await app.request('GET', '/throws/header');
    expect([status, body]).toEqual([500, bare(headers['x-request-id'])]);
    expect([headers['x-note'], headers['set-cookie']]).toEqual([undefined, undefined]);
    // With: headers.
    expect(headers['x-content-type-options']).toBe('nosniff');
  });
});

describe('Every error has its status and its type (practice 6.2)', () => {
  it.each<[string, () => unknown, number, GeneralProblem]>([
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
    const answer = await throwing(
      () =>
        new Problem('validation-failed', 'Mend the values.', {
          errors,
          headers: { 'Retry-After': '7' },
          cause: new Error(leak),
        }),
    );
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
