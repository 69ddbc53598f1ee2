import { Controller, Get, Module } from '@nestjs/common';
import { ApiOkResponse } from '@nestjs/swagger';
import { expect } from 'vitest';
import { Can, peopleAndMachines } from '../../src/common/access/access.decorators.js';
import { ViewField } from '../../src/common/http/view.js';
import { userPermissions } from '../../src/users/users.permissions.js';
import { signUpAdministrator, type Actor } from '../support/actors.js';
import type { TestApp } from '../support/app.js';

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
export class AuditModule {}

/** One of administrators, and one of everybody. */
export const scopes = ['user:list', 'sample:read'];

/**
 * The owner is no administrator any more: 403 at once where it takes that role, on every instance.
 * @param make what a machine calls with that acts for the owner, within `scopes`.
 */
export async function expectLostRole(app: TestApp, make: (owner: Actor) => Promise<string>): Promise<void> {
  const [boss, owner] = [await signUpAdministrator(app), await signUpAdministrator(app)];
  const token = await make(owner);
  const seen = (path: string) =>
    Promise.all(app.instances.map(async ({ request }) => (await request('GET', path, { token })).status));
  const all = (status: number) => app.instances.map(() => status);
  expect([await seen('/v1/audited'), await seen('/v1/samples')]).toEqual([all(200), all(200)]);
  const parts = { token: boss.token, body: { roles: ['user'] } };
  expect((await app.request('PATCH', `/v1/users/${owner.userId}/roles`, parts)).status).toBe(200);
  expect([await seen('/v1/audited'), await seen('/v1/samples')]).toEqual([all(403), all(200)]);
}
