import { Controller, Get, Module, type ExecutionContext } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { ApiNoContentResponse } from '@nestjs/swagger';
import type { FastifyInstance } from 'fastify';
import { describe, expect, it } from 'vitest';
import { BeforeSecondFactor, Can, Public, StepUp } from '../../../src/common/access/access.decorators.js';
import { Clock } from '../../../src/common/clock.js';
import { Problem } from '../../../src/common/http/problem.js';
import { SecurityEvents } from '../../../src/common/events/security-events.js';
import { AuthorizationGuard } from '../../../src/security/authorization/authorization.guard.js';
import { accountPermissions } from '../../../src/users/users.permissions.js';
import { startApp, type TestApp } from '../../support/app.js';

const bootWith = async (module: new (...args: never[]) => object): Promise<unknown> => {
  const started = await startApp({ modules: [module], instances: 1 }).catch((error: unknown) => error);
  if (!(started instanceof Error)) await (started as TestApp).close();
  return started;
};

describe('authorization: deny by default [practice 2.4] [ASVS 8.2.1]', () => {
  it('a handler declares neither @Can nor @Public: the service does not start [A5-6]', async () => {
    @Controller('v1/forgotten')
    class Forgotten {
      @Get()
      @ApiNoContentResponse()
      read() {}
    }
    @Module({ controllers: [Forgotten] })
    class Extra {}
    expect(await bootWith(Extra)).toMatchObject({
      message: expect.stringContaining('Forgotten.read declares neither @Can(...) nor @Public()'),
    });
  });

  it('a handler gets past the boot without a policy: the guard closes it all the same', () => {
    class Late {
      read() {}
    }
    const events = new SecurityEvents();
    const reported: string[] = [];
    events.observe(({ action }) => reported.push(action));
    const guard = new AuthorizationGuard(events, new Clock());
    const context = {
      getHandler: () => Late.prototype.read,
      getClass: () => Late,
      switchToHttp: () => ({ getRequest: () => ({ user: {} }) }),
    };
    expect(() => guard.canActivate(context as unknown as ExecutionContext)).toThrow(new Problem('forbidden'));
    expect(reported).toEqual(['authz_fail']);
  });

  it('a plugin adds a route to Fastify past every guard: the service does not start [A5-6]', async () => {
    @Module({})
    class Extra {
      constructor(host: HttpAdapterHost) {
        host.httpAdapter.getInstance<FastifyInstance>().get('/raw', () => 'walks past every guard');
      }
    }
    expect(await bootWith(Extra)).toMatchObject({
      message: expect.stringContaining('GET /raw is a Fastify route that no controller declares'),
    });
  });

  it('a plugin adds a method to a path that a controller declares: the service does not start [A5-6]', async () => {
    @Module({})
    class Extra {
      constructor(host: HttpAdapterHost) {
        host.httpAdapter.getInstance<FastifyInstance>().put('/v1/users/me', () => 'walks past every guard');
      }
    }
    expect(await bootWith(Extra)).toMatchObject({
      message: expect.stringContaining('PUT /v1/users/me is a Fastify route'),
    });
  });

  it('a handler is inherited without a policy: the service does not start [A5-6]', async () => {
    class Base {
      @Get('inherited')
      @ApiNoContentResponse()
      read() {}
    }
    @Controller('v1/derived')
    class Derived extends Base {}
    @Module({ controllers: [Derived] })
    class Extra {}
    expect(await bootWith(Extra)).toMatchObject({
      message: expect.stringContaining('Derived.read declares neither @Can(...) nor @Public()'),
    });
  });

  it.each([
    ['@StepUp()', StepUp()],
    ['@BeforeSecondFactor()', BeforeSecondFactor()],
    ['@Can(...) or @Public()', Can(accountPermissions.read)],
    ['@Can(...) or @Public()', Public()],
  ])(
    'a controller has %s, which only handlers can have: the service does not start [A5-6]',
    async (decorator, decorate) => {
      @(decorate as ClassDecorator)
      class Base {}
      @Controller('v1/decorated')
      class Decorated extends Base {
        @Get()
        @Can(accountPermissions.read)
        @ApiNoContentResponse()
        read() {}
      }
      @Module({ controllers: [Decorated] })
      class Extra {}
      expect(await bootWith(Extra)).toMatchObject({
        message: expect.stringContaining(`Decorated has ${decorator} on the class`),
      });
    },
  );
});
