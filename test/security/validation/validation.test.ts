import {
  Body,
  Controller,
  createParamDecorator,
  Delete,
  Get,
  Headers,
  HttpCode,
  Ip,
  Module,
  Next,
  Post,
  RawBody,
  Req,
  Res,
  Session,
  StreamableFile,
  UploadedFile,
} from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiProduces } from '@nestjs/swagger';
import { HttpAdapterHost } from '@nestjs/core';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { firstValueFrom, of } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Can } from '../../../src/common/access/access.decorators.js';
import { TextField } from '../../../src/common/http/fields.js';
import { ViewField } from '../../../src/common/http/view.js';
import { AnswerInterceptor } from '../../../src/security/validation/answer.interceptor.js';
import { accountPermissions } from '../../../src/users/users.permissions.js';
import { signUp, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { SamplesModule } from '../../support/sample/samples.module.js';

class TestInput {
  @TextField({ min: 1, max: 10 })
  text: string;
}

class TestView {
  @ViewField({ type: 'string' })
  shown: string;
}

const row = { shown: 'yes', passwordHash: 'canary-hash-4711', nested: { secret: 'canary-hash-4711' } };

@Controller('v1/test-rows')
class RowsController {
  @Get()
  @Can(accountPermissions.read)
  @ApiOkResponse({ type: TestView })
  row() {
    return row;
  }

  @Get('list')
  @Can(accountPermissions.read)
  @ApiOkResponse({ type: TestView })
  list() {
    return [row, null, 'canary-hash-4711'];
  }

  @Get('text')
  @Can(accountPermissions.read)
  @ApiOkResponse({ type: TestView })
  text() {
    return JSON.stringify(row);
  }

  @Get('bytes')
  @Can(accountPermissions.read)
  @ApiOkResponse({ type: TestView })
  bytes() {
    return Buffer.from(JSON.stringify(row));
  }

  @Get('stream')
  @Can(accountPermissions.read)
  @ApiOkResponse({ type: TestView })
  stream() {
    return new StreamableFile(Buffer.from(JSON.stringify(row)));
  }

  @Get('in-hand')
  @Can(accountPermissions.read)
  @ApiOkResponse({ type: TestView })
  inHand(@Res({ passthrough: true }) reply: FastifyReply) {
    void reply.send(row);
    return row;
  }

  @Get('throws')
  @Can(accountPermissions.read)
  @ApiOkResponse({ type: TestView })
  throws() {
    return {
      get shown(): string {
        throw new Error('canary-hash-4711');
      },
    };
  }

  @Get('file')
  @Can(accountPermissions.read)
  @ApiProduces('text/plain')
  file() {
    return 'a file';
  }

  @Delete()
  @HttpCode(204)
  @Can(accountPermissions.read)
  @ApiNoContentResponse()
  nothing() {
    return row;
  }

  @Post('nothing')
  @Can(accountPermissions.read)
  @ApiNoContentResponse()
  nothingWithAnotherStatus() {
    return row;
  }
}

@Module({ controllers: [RowsController] })
class RowsModule {
  constructor(host: HttpAdapterHost) {
    host.httpAdapter.getInstance<FastifyInstance>().addHook('onRequest', async (request, reply) => {
      if (request.headers['x-before-guards'] !== undefined) await reply.send(row);
    });
  }
}

let app: TestApp;
let alice: Actor;

beforeAll(async () => {
  app = await startApp({ modules: [SamplesModule, RowsModule], broken: '/v1/test-rows' });
  alice = await signUp(app, 'alice');
});
afterAll(() => app.close());

const create = (body: unknown) => app.request('POST', '/v1/samples', { token: alice.token, body });
const valid = { title: 'Title', body: 'Body' };
const stored = async () => (await app.sql<{ count: number }>('SELECT count(*)::int AS count FROM samples'))[0]?.count;

describe('validation: inputs [practice 3.1] [practice 3.2]', () => {
  it('takes text of any script, and normalises it to NFC [ASVS 2.2.1]', async () => {
    const { status, body } = await create({
      title: '  Cafe\u0301 \u{1F600} \u0645\u0631\u062d\u0628\u0627 ',
      body: 'line 1\n\tline 2 ',
    });
    expect(status).toBe(201);
    expect(body).toMatchObject({
      title: 'Caf\u00e9 \u{1F600} \u0645\u0631\u062d\u0628\u0627',
      body: 'line 1\n\tline 2 ',
    });
  });

  it.each([
    ['an array', ['a']],
    ['an object', { a: 1 }],
    ['a number', 7],
    ['a boolean', true],
    ['null', null],
  ])('sends %s in place of a text: 422, and nothing is stored [ASVS 15.3.5]', async (_, title) => {
    const before = await stored();
    const refused = await create({ ...valid, title });
    expect(refused).toMatchObject({
      status: 422,
      body: { type: '/problems/validation-failed', errors: [{ pointer: '/title' }] },
    });
    expect(await stored()).toBe(before);
  });

  it.each([
    ['an empty title', { title: '   ' }, 'wrong-length'],
    ['a title of 201 characters', { title: 'x'.repeat(201) }, 'wrong-length'],
    ['a body of 20,001 characters', { body: 'x'.repeat(20_001) }, 'wrong-length'],
    ['an unknown visibility', { visibility: 'everyone' }, 'not-a-choice'],
    ['a line feed in a title', { title: 'a\nb' }, 'unsafe-text'],
    ['a direction override in a title', { title: 'user\u202egnp.exe' }, 'unsafe-text'],
    ['a NUL', { body: 'a\u0000b' }, 'unsafe-text'],
    [
      'a text that looks like a sealed cell',
      { title: 'enc:v1:01890000-0000-7000-8000-000000000000:AAAA' },
      'unsafe-text',
    ],
  ])('sends %s: 422 with a pointer and a stable code [ASVS 2.2.1] [ASVS 1.3.3]', async (_, change, code) => {
    const before = await stored();
    const refused = await create({ ...valid, ...change });
    expect(refused).toMatchObject({ status: 422, body: { errors: [{ pointer: `/${Object.keys(change)[0]}`, code }] } });
    expect(await stored()).toBe(before);
  });

  it('names every missing field at once', async () => {
    const { status, body } = await app.request('POST', '/v1/samples', { token: alice.token });
    expect(status).toBe(422);
    expect(body.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual(['/title', '/body']);
  });

  it.each(['[]', '"text"', '7', 'null', 'true'])(
    'sends the JSON document %s where an object is due: refused',
    async (raw) => {
      expect([400, 422]).toContain((await app.request('POST', '/v1/samples', { token: alice.token, raw })).status);
    },
  );

  it.each(['toString', 'hasOwnProperty', 'constructor', '__defineGetter__', 'valueOf', 'isPrototypeOf', 'unknown'])(
    'sends the field %s, which every object has: 400, and nothing is stored [A3-6] [ASVS 1.5.2] [ASVS 15.3.6]',
    async (name) => {
      const before = await stored();
      const raw = `{"title":"a","body":"b","${name}":"x"}`;
      expect((await app.request('POST', '/v1/samples', { token: alice.token, raw })).status).toBe(400);
      expect((await app.request('GET', `/v1/samples?${name}=1`, { token: alice.token })).status).toBe(400);
      expect(await stored()).toBe(before);
    },
  );

  it.each(['toString', 'hasOwnProperty', 'constructor', 'unknown'])(
    'sends the field %s in an object inside: 400, with a pointer to it [A3-6] [ASVS 15.3.3]',
    async (name) => {
      const raw = `{"title":"a","body":"b","place":{"room":"a","${name}":"x"}}`;
      const refused = await app.request('POST', '/v1/samples', { token: alice.token, raw });
      expect(refused).toMatchObject({
        status: 400,
        body: { errors: [{ pointer: `/place/${name}`, code: 'unknown-field' }] },
      });
    },
  );

  it('invents fields: the audit trail has how many and where, no names [ASVS 16.3.3] [A3-1]', async () => {
    expect((await create({ ...valid, isAdmin: true, role: 'admin' })).status).toBe(400);
    const event = await app.auditEvent(
      'input_validation_fail',
      ({ actor_id, details }) =>
        actor_id === alice.userId && (details as { unknownFields?: number }).unknownFields === 2,
    );
    expect(event).toMatchObject({ outcome: 'denied', details: { in: 'body', unknownFields: 2 } });
    expect(JSON.stringify(event)).not.toContain('isAdmin');
  });

  it('sends one field of a change: the audit trail names that one and no other [ASVS 16.2.1]', async () => {
    const { body, headers } = await create(valid);
    const change = { token: alice.token, headers: { 'if-match': headers['etag'] ?? '' }, body: { title: 'new' } };
    expect((await app.request('PATCH', `/v1/samples/${body.id}`, change)).status).toBe(200);
    const event = await app.auditEvent('sensitive_update', (row) => row['target_id'] === body.id);
    expect(event['details']).toEqual({ fields: ['title'] });
  });

  it('never repeats a value in its answer: it may be a secret [ASVS 14.2.4]', async () => {
    const refused = await app.request('POST', '/v1/auth/login', {
      body: { email: 'canary-4711', password: { canary: 4711 }, canary4712: 'canary-4713' },
    });
    expect(refused.status).toBe(400);
    expect(refused.text).not.toMatch(/canary-4711|canary-4713/);
  });

  it.each(['0', '101', '-1', '1e9', '0x10', '9007199254740993', 'NaN', '%201', '', '1.5'])(
    'asks for limit=%s: 400 [A4-2] [ASVS 1.4.2]',
    async (limit) => {
      expect((await app.request('GET', `/v1/samples?limit=${limit}`, { token: alice.token })).status).toBe(400);
    },
  );

  it.each(['limit=1&limit=2', 'limit[]=1', 'limit[$gt]=1', 'unknown=1'])(
    'asks with ?%s: 400 [ASVS 15.3.7]',
    async (query) => {
      expect((await app.request('GET', `/v1/samples?${query}`, { token: alice.token })).status).toBe(400);
    },
  );

  it('stores SQL, HTML and templates as text [practice 3.4] [ASVS 1.2.4] [ASVS 1.1.2]', async () => {
    const text = `'; DROP TABLE users; -- <script>alert(1)</script> {{7*7}} \${7*7} %s`;
    const { body } = await create({ title: text, body: text, note: text });
    const read = await app.request('GET', `/v1/samples/${body.id}`, { token: alice.token });
    expect(read.body).toMatchObject({ title: text, body: text, note: text });
    expect(read.headers['content-type']).toBe('application/json; charset=utf-8');
  });
});

describe('validation: answers [practice 2.4]', () => {
  it('a handler returns a whole row: only the fields of the view leave [A3-3] [ASVS 15.3.1]', async () => {
    const { status, text } = await app.request('GET', '/v1/test-rows', { token: alice.token });
    expect({ status, text }).toEqual({ status: 200, text: '{"shown":"yes"}' });
  });

  const answer = async (method: string, path: string) => {
    const { status, text, headers } = await app.request(method, `/v1/test-rows${path}`, { token: alice.token });
    return { status, text, length: headers['content-length'], type: headers['content-type'] };
  };

  it('a list holds what is no row: null in its place [ASVS 15.3.1]', async () => {
    expect(await answer('GET', '/list')).toMatchObject({ status: 200, text: '[{"shown":"yes"},null,null]' });
  });

  it.each(['text', 'bytes', 'stream', 'throws'])(
    'a handler answers with %s, which its view cannot reduce: 500, and nothing of it leaves',
    async (form) => {
      const held = await answer('GET', `/${form}`);
      expect(held).toMatchObject({ status: 500, type: 'application/problem+json; charset=utf-8' });
      expect(held.text).not.toContain('canary');
    },
  );

  it('a handler sends the row itself, past interceptors: 500, nothing of it leaves [ASVS 15.3.1]', async () => {
    const held = await answer('GET', '/in-hand');
    expect(held).toMatchObject({ status: 500, type: 'application/problem+json; charset=utf-8' });
    expect(held.text).not.toContain('canary');
  });

  it('a handler that declares nothing got past the boot: of what it returns nothing leaves', async () => {
    const context = new ExecutionContextHost(
      [{}, { request: { method: 'GET', routeOptions: {} } }],
      RowsController,
      () => row,
    );
    const answers = new AnswerInterceptor().intercept(context, { handle: () => of(row) });
    await expect(firstValueFrom(answers)).rejects.toThrow('answers with what no view declares');
  });

  it.each([
    ['DELETE', '', 204],
    ['POST', '/nothing', 201],
  ])('%s %s declares an empty answer, and returns a row: the answer is empty', async (method, path, status) => {
    expect(await answer(method, path)).toMatchObject({ status, text: '' });
  });

  it('asks by HEAD: the length of the reduced answer, and no body', async () => {
    expect(await answer('HEAD', '')).toMatchObject({ status: 200, text: '', length: String('{"shown":"yes"}'.length) });
  });

  it('a declared file leaves as it is', async () => {
    expect(await answer('GET', '/file')).toMatchObject({ status: 200, text: 'a file' });
  });

  it('answers before the guards said what may leave: 500, nothing of it leaves [ASVS 15.3.1]', async () => {
    const held = await app.request('GET', '/v1/test-rows', { token: alice.token, headers: { 'x-before-guards': '1' } });
    expect(held.status).toBe(500);
    expect(held.text).not.toContain('canary');
  });
});

describe('validation: the boot [practice 3.2]', () => {
  const boot = async (controller: new () => object) => {
    @Module({ controllers: [controller] })
    class Extra {}
    const started = await startApp({ modules: [SamplesModule, Extra], instances: 1 }).catch((error: unknown) => error);
    if (!(started instanceof Error)) await (started as TestApp).close();
    return started;
  };

  it('a handler takes a body without a DTO: the service does not start', async () => {
    @Controller('v1/careless')
    class Careless {
      @Post()
      @Can(accountPermissions.update)
      @ApiOkResponse({ type: TestView })
      create(@Body() body: Record<string, unknown>) {
        return body;
      }
    }
    expect(await boot(Careless)).toMatchObject({
      message: expect.stringContaining('Careless.create takes a body without a DTO class'),
    });
  });

  it.each([
    ['HEADERS', Headers()],
    ['HEADERS', Headers('x-user')],
    ['REQUEST', Req()],
    ['RAW_BODY', RawBody()],
    ['SESSION', Session()],
    ['IP', Ip()],
    ['FILE', UploadedFile()],
    ['what a custom decorator has made', createParamDecorator(() => 'unchecked')()],
  ])('a handler takes %s, past the pipe: the service does not start [ASVS 2.2.1]', async (kind, parameter) => {
    @Controller('v1/careless')
    class Careless {
      @Get()
      @Can(accountPermissions.read)
      @ApiOkResponse({ type: TestView })
      read(@parameter input: TestInput) {
        return input;
      }
    }
    expect(await boot(Careless)).toMatchObject({
      message: expect.stringContaining(`Careless.read takes ${kind}, which is not validated`),
    });
  });

  it.each([
    ['RESPONSE', Res()],
    ['NEXT', Next()],
  ])(
    'a handler takes %s, by which it can answer past its view: the service does not start',
    async (kind, parameter) => {
      @Controller('v1/careless')
      class Careless {
        @Get()
        @Can(accountPermissions.read)
        @ApiOkResponse({ type: TestView })
        read(@parameter reply: FastifyReply) {
          void reply.send(row);
        }
      }
      expect(await boot(Careless)).toMatchObject({
        message: expect.stringContaining(
          `Careless.read takes ${kind}, past which its answer is not held against a view`,
        ),
      });
    },
  );

  it('a handler picks one field out of the body: the service does not start', async () => {
    @Controller('v1/careless')
    class Careless {
      @Post()
      @Can(accountPermissions.update)
      @ApiOkResponse({ type: TestView })
      create(@Body('text') shown: string) {
        return { shown };
      }
    }
    expect(await boot(Careless)).toMatchObject({ message: expect.stringContaining('picks one value out of the body') });
  });

  it('a handler declares no view: the service does not start', async () => {
    @Controller('v1/careless')
    class Careless {
      @Post()
      @Can(accountPermissions.update)
      create(@Body() input: TestInput) {
        return input;
      }
    }
    expect(await boot(Careless)).toMatchObject({
      message: expect.stringContaining('Careless.create declares no answer'),
    });
  });

  it('a view declares no field: the service does not start', async () => {
    class Empty {}
    @Controller('v1/careless')
    class Careless {
      @Get()
      @Can(accountPermissions.read)
      @ApiOkResponse({ type: Empty })
      read() {
        return {};
      }
    }
    expect(await boot(Careless)).toMatchObject({ message: expect.stringContaining('Empty declares no @ViewField()') });
  });
});
