import { Controller, Get, HttpCode, Module } from '@nestjs/common';
import { ApiNoContentResponse } from '@nestjs/swagger';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mailLimits } from '../../../src/auth/accounts/mail.limits.js';
import { Public } from '../../../src/common/access/access.decorators.js';
import { oncePerHandler } from '../../../src/common/http/handlers.js';
import { RateLimit } from '../../../src/common/http/rate-limit.js';
import { startApp, type TestApp } from '../../support/app.js';

class Inherited {
  @Get()
  @HttpCode(204)
  @Public()
  @ApiNoContentResponse()
  read() {}
}

@Controller('v1/lenient')
class Lenient extends Inherited {}

@Controller('v1/strict')
@RateLimit(mailLimits)
class Strict extends Inherited {}

@Module({ controllers: [Lenient, Strict] })
class Extra {}

describe('what is remembered of handlers', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startApp({ modules: [Extra], instances: 1 });
  });
  afterAll(() => app.close());

  // With: rate-limiting.
  it('two controllers inherit one handler: the first that is asked decides for itself only [A5-6]', async () => {
    const policy = async (path: string) => (await app.request('GET', path)).headers['ratelimit-policy'];
    expect(await policy('/v1/lenient')).toContain('"anonymous"');
    expect(await policy('/v1/strict')).toContain('"mail-network"');
    expect(await policy('/v1/strict')).not.toContain('"anonymous"');
    expect(await policy('/v1/lenient')).not.toContain('"mail-network"');
  });

  it('reads once per controller and handler', () => {
    const read: string[] = [];
    const remembered = oncePerHandler((handler, controller) => read.push(`${controller.name}.${handler.name}`));
    const handler = Object.getOwnPropertyDescriptor(Inherited.prototype, 'read')?.value as () => void;
    for (const controller of [Lenient, Strict, Lenient, Strict]) remembered(handler, controller);
    expect(read).toEqual(['Lenient.read', 'Strict.read']);
  });
});
