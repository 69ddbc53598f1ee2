import { Controller, Get, Module } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requestContext } from '../../../src/common/http/request-context.js';
import { LoggingModule } from '../../../src/security/logging/logging.module.js';
import { startSmallApp, type SmallApp } from '../../security/small-app.js';

@Controller('context')
class ContextController {
  @Get()
  read() {
    const { requestId, address, userAgent } = requestContext() ?? {};
    return { requestId, address, userAgent };
  }
}

const seenByHooks: (string | undefined)[] = [];

/** Stands in front of every practice, as the first line of the table would. */
@Module({})
class FirstModule {
  constructor(host: HttpAdapterHost) {
    host.httpAdapter.getInstance<FastifyInstance>().addHook('onRequest', (_request, _reply, done) => {
      seenByHooks.push(requestContext()?.requestId);
      done();
    });
  }
}

let app: SmallApp;
beforeAll(async () => {
  app = await startSmallApp({
    controllers: [ContextController],
    modules: [FirstModule],
    without: [
      // With: logging.
      LoggingModule,
    ],
  });
});
afterAll(() => app.close());

describe('The context of a request, which no practice opens [practice 11.1]', () => {
  it('without the practice of logging handlers, hooks and the client have one id and one address', async () => {
    const { headers, body } = await app.request('GET', '/context', {
      headers: { 'user-agent': 'test' },
      from: '127.0.0.66',
    });
    const id = headers['x-request-id'];
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    expect(body).toEqual({ requestId: id, address: '127.0.0.66', userAgent: 'test' });
    expect(seenByHooks).toContain(id);
  });

  it('no route has that path, or the host is refused: the answer has an id as well', async () => {
    const answers = await Promise.all([
      app.request('GET', '/nothing'),
      app.request('GET', '/context', { headers: { host: 'evil.example' } }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([404, 421]);
    for (const { headers, body } of answers) expect(body).toMatchObject({ requestId: headers['x-request-id'] });
  });
});
