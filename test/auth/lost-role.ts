import { Controller, Get, Module } from '@nestjs/common';
import { ApiOkResponse } from '@nestjs/swagger';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Can, peopleAndMachines } from '../../src/common/access/access.decorators.js';
import { ViewField } from '../../src/common/http/view.js';
import { userPermissions } from '../../src/users/users.permissions.js';
import { signUpAdministrator, type Actor } from '../support/actors.js';
import { startApp, type TestApp } from '../support/app.js';
import { SamplesModule } from '../support/sample/samples.module.js';

// For tests in a process of their own: a permission of administrators is opened to machines, which is seen wherever
// scopes are.

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

/** One of administrators, and one of everybody. */
export const scopes = ['user:list', 'sample:read'];

/**
 * The tests of a method of machines: its owner is no administrator any more.
 * @param what acts for the owner.
 * @param make what it calls with, within `scopes`.
 */
export function itLosesWhatItsOwnerLost(what: string, make: (app: TestApp, owner: Actor) => Promise<string>): void {
  describe(`the owner of ${what} is no administrator any more [practice 2.4] [ASVS 8.3.2] [A5-4]`, () => {
    let app: TestApp;
    beforeAll(async () => {
      app = await startApp({ modules: [SamplesModule, AuditModule] });
    });
    afterAll(() => app.close());

    it('calls where it took that role: 403 at once, on every instance; the rest stays open', async () => {
      const [boss, owner] = [await signUpAdministrator(app), await signUpAdministrator(app)];
      const token = await make(app, owner);
      const seen = (path: string) =>
        Promise.all(app.instances.map(async ({ request }) => (await request('GET', path, { token })).status));
      const all = (status: number) => app.instances.map(() => status);
      expect([await seen('/v1/audited'), await seen('/v1/samples')]).toEqual([all(200), all(200)]);
      const parts = { token: boss.token, body: { roles: ['user'] } };
      expect((await app.request('PATCH', `/v1/users/${owner.userId}/roles`, parts)).status).toBe(200);
      expect([await seen('/v1/audited'), await seen('/v1/samples')]).toEqual([all(403), all(200)]);
    });
  });
}
