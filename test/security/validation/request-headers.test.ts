import { Controller, Get, Module } from '@nestjs/common';
import { ApiOkResponse } from '@nestjs/swagger';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Public } from '../../../src/common/access/access.decorators.js';
import { OptionalField, TokenField } from '../../../src/common/http/fields.js';
import { RequestHeaders } from '../../../src/common/http/parameters.js';
import { ViewField } from '../../../src/common/http/view.js';
import { startApp, type TestApp } from '../../support/app.js';
import { documentOf } from '../../support/open-api.js';

class TraceHeaders {
  @OptionalField()
  @TokenField({ max: 10 })
  'x-trace'?: string;
}

class TraceView {
  @ViewField({ type: 'string', nullable: true })
  trace: string | null;

  @ViewField({ type: 'integer' })
  fields: number;
}

@Controller('v1/traces')
class TracesController {
  @Get()
  @Public()
  @ApiOkResponse({ type: TraceView })
  read(@RequestHeaders() headers: TraceHeaders): TraceView {
    return { trace: headers['x-trace'] ?? null, fields: Object.keys(headers).length };
  }
}

@Module({ controllers: [TracesController] })
class TracesModule {}

describe('validation: header fields [practice 3.1] [ASVS 2.2.1]', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startApp({ modules: [TracesModule], instances: 1 });
  });
  afterAll(() => app.close());

  const read = (headers: Record<string, string>) => app.request('GET', '/v1/traces', { headers });

  it('a handler gets the declared field, and none of the others that every request has', async () => {
    expect(await read({ 'x-trace': 'abc', 'x-other': 'def' })).toMatchObject({
      status: 200,
      body: { trace: 'abc', fields: 1 },
    });
  });

  it('an optional field that is not sent is not there', async () => {
    expect(await read({})).toMatchObject({ status: 200, body: { trace: null, fields: 0 } });
  });

  it.each([
    ['too long', 'a'.repeat(11), 'wrong-length'],
    ['in a wrong form', 'a b', 'wrong-format'],
  ])('sends a field %s: 400 with a pointer', async (_, value, code) => {
    const refused = await read({ 'x-trace': value });
    expect(refused).toMatchObject({
      status: 400,
      body: { type: '/problems/malformed-request', errors: [{ pointer: 'header:x-trace', code }] },
    });
    expect(refused.text).not.toContain(value);
  });

  it('declares the field with its rules', () => {
    expect(documentOf(app).paths['/v1/traces']?.get?.parameters).toEqual([
      {
        name: 'x-trace',
        in: 'header',
        required: false,
        schema: { type: 'string', maxLength: 10, pattern: '^[A-Za-z0-9_.-]+$' },
      },
    ]);
  });
});

describe('validation: the boot looks at header fields too [practice 3.2]', () => {
  const boot = async (controller: new () => object) => {
    @Module({ controllers: [controller] })
    class Extra {}
    const started = await startApp({ modules: [Extra], instances: 1 }).catch((error: unknown) => error);
    if (!(started instanceof Error)) await (started as TestApp).close();
    return started;
  };

  it('a handler takes header fields without a DTO: the service does not start', async () => {
    @Controller('v1/careless')
    class Careless {
      @Get()
      @Public()
      @ApiOkResponse({ type: TraceView })
      read(@RequestHeaders() headers: Record<string, string>) {
        return headers;
      }
    }
    expect(await boot(Careless)).toMatchObject({
      message: expect.stringContaining('Careless.read takes header fields without a DTO class'),
    });
  });

  it('a DTO names a field in capitals, where it would never be found: the service does not start', async () => {
    class Shouted {
      @TokenField({ max: 10 })
      'X-Trace': string;
    }
    @Controller('v1/careless')
    class Careless {
      @Get()
      @Public()
      @ApiOkResponse({ type: TraceView })
      read(@RequestHeaders() headers: Shouted) {
        return headers;
      }
    }
    expect(await boot(Careless)).toMatchObject({
      message: expect.stringContaining('Careless.read takes the header field X-Trace: write it in lower case'),
    });
  });
});
