import { Controller, Get, Module } from '@nestjs/common';
import { ApiOkResponse } from '@nestjs/swagger';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Can, peopleAndMachines } from '../../src/common/access/access.decorators.js';
import { ViewField } from '../../src/common/http/view.js';
import { userPermissions } from '../../src/users/users.permissions.js';
import { signUpAdministrator, type Actor } from '../support/actors.js';
import { startApp, type TestApp } from '../support/app.js';
import { SamplesModule } from '../support/sample/samples.module.js';
import { makeKey } from './api-keys/keys.js';
import { RegisteredClient } from './clients/registered-client.js';

// In a process of its own: a permission of administrators is opened to machines, which is seen wherever scopes are.

class AuditView {
  @ViewField({ type: 'integer' })
  count: number;
}

@Controller('v1/audited')
class AuditController {
  @Get()
  @Can(userPermissions.list, { kinds: peopleAndMachines })
  @ApiOkResponse({ type: AuditView })
  count(): AuditView {
    return { count: 0 };
  }
}

@Module({ controllers: [AuditController] })
class AuditModule {}

const scopes = ['user:list', 'sample:read'];
/** What a machine calls with that acts for the owner. */
const credentials: Readonly<Record<string, (app: TestApp, owner: Actor) => Promise<string>>> = {
  // With: api-keys.
  'an API key': async (app, owner) => (await makeKey(app, owner, { scopes })).key,
  // With: clients.
  'a token of a client': async (app, owner) => {
    const client = await RegisteredClient.create(app, owner, owner.userId, { scopes });
    return client.token({ fields: { scope: scopes.join(' ') } });
  },
};

describe('the owner of a machine is no administrator any more [practice 2.4] [ASVS 8.3.2] [A5-4]', () => {
  let app: TestApp;
  let boss: Actor;
  beforeAll(async () => {
    app = await startApp({ modules: [SamplesModule, AuditModule] });
    boss = await signUpAdministrator(app);
  });
  afterAll(() => app.close());

  it.each(Object.keys(credentials))('%s: 403 at once where it took that role, on every instance', async (name) => {
    const carol = await signUpAdministrator(app);
    const credential = (await credentials[name]?.(app, carol)) ?? '';
    const seen = (path: string) =>
      Promise.all(app.instances.map(async ({ request }) => (await request('GET', path, { token: credential })).status));
    const all = (status: number) => app.instances.map(() => status);
    expect([await seen('/v1/audited'), await seen('/v1/samples')]).toEqual([all(200), all(200)]);
    const body = { roles: ['user'] };
    expect((await app.request('PATCH', `/v1/users/${carol.userId}/roles`, { token: boss.token, body })).status).toBe(
      200,
    );
    expect([await seen('/v1/audited'), await seen('/v1/samples')]).toEqual([all(403), all(200)]);
  });
});
