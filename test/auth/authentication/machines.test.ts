import { Controller, Get, Module } from '@nestjs/common';
import { ApiOkResponse } from '@nestjs/swagger';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Can, machineScopes, peopleAndMachines, Public, StepUp } from '../../../src/common/access/access.decorators.js';
import { CurrentPerson, type Person } from '../../../src/common/access/principal.js';
import { Refuses } from '../../../src/common/http/refusals.decorator.js';
import { ViewField } from '../../../src/common/http/view.js';
import { Conformance } from '../../api-docs/answer-check.js';
import { accessFaults } from '../../../src/security/authorization/declared-access.js';
import { signUp, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { machineToken } from '../../support/sample/machines.js';
import { samplePermissions } from '../../support/sample/sample.policy.js';
import { SamplesModule } from '../../support/sample/samples.module.js';
import { createSample } from '../../support/sample/samples.js';

class WhoView {
  @ViewField({ type: 'string' })
  session: string;
}

/** Handlers that were opened to machines by mistake. */
@Controller('v1/who')
class WhoController {
  @Get()
  @Public()
  @Refuses('forbidden')
  @ApiOkResponse({ type: WhoView })
  anybody(@CurrentPerson() person?: Person): WhoView {
    return { session: person?.sessionId ?? 'none' };
  }

  @Get('only')
  @Can(samplePermissions.read, { kinds: peopleAndMachines })
  @ApiOkResponse({ type: WhoView })
  both(@CurrentPerson() person: Person): WhoView {
    return { session: person.sessionId };
  }
}

@Module({ controllers: [WhoController] })
class WhoModule {}

describe('machines: what their scopes say, of what their owner may now [practice 2.4] [ASVS 8.3.2]', () => {
  let app: TestApp;
  let alice: Actor;
  let sample: string;
  const path = () => `/v1/samples/${sample}`;
  const status = async (method: string, target: string, token: string, body?: unknown) =>
    (await app.request(method, target, { token, ...(body === undefined ? {} : { body }) })).status;

  beforeAll(async () => {
    app = await startApp({ modules: [SamplesModule, WhoModule] });
    alice = await signUp(app, 'alice');
    sample = (await createSample(app, alice)).id;
  });
  afterAll(() => app.close());

  it('an honest machine reaches what its owner has', async () =>
    expect(await status('GET', path(), machineToken(alice))).toBe(200));

  it('calls without the scope: 403, whatever its owner may [ASVS 8.2.1]', async () => {
    const token = machineToken({ ...alice, scopes: ['sample:read'] });
    expect(await status('GET', path(), token)).toBe(200);
    expect(await status('POST', '/v1/samples', token, { title: 't', body: 'b' })).toBe(403);
    expect(await status('GET', path(), machineToken({ ...alice, scopes: [] }))).toBe(403);
  });

  it('calls with the scope, and its owner has lost the right: 403 [ASVS 8.3.2]', async () => {
    const bob = await signUp(app, 'bob');
    await app.sql(`UPDATE users SET roles = '{user}' WHERE id = $1`, [bob.userId]);
    const admins = machineToken({ ...bob, scopes: ['user:list', ...machineScopes] });
    expect(await status('GET', '/v1/users', admins)).toBe(403);
  });

  it('calls a route that is for people: 403, and an audit event names the machine [A2-8]', async () => {
    const machineId = crypto.randomUUID();
    const token = machineToken({ ...alice, machineId, scopes: ['account:read', 'session:list', 'factor:manage'] });
    for (const target of ['/v1/users/me', '/v1/auth/sessions'])
      expect([target, await status('GET', target, token)]).toEqual([target, 403]);
    const event = await app.auditEvent('authz_fail', (row) => row['machine_id'] === machineId);
    expect(event).toMatchObject({ actor_kind: 'machine', actor_id: alice.userId, session_id: null });
  });

  it('calls a handler that needs a session, which was opened to machines: 403, and no session is made up', async () => {
    const token = machineToken(alice);
    expect(await status('GET', '/v1/who', token)).toBe(403);
    expect(await status('GET', '/v1/who/only', token)).toBe(403);
    expect(await status('GET', '/v1/who/only', alice.token)).toBe(200);
  });

  it('signs in with the credential of a machine at hand: it is not taken for a session', async () => {
    const { email, password } = alice;
    const answer = await app.request('POST', '/v1/auth/login', {
      token: machineToken(alice),
      body: { email, password },
    });
    expect(answer.status).toBe(200);
    expect(await status('GET', '/v1/users/me', alice.token)).toBe(200);
  });

  it('sends a machine credential and the refresh cookie, or two headers: 400 [A2-8]', async () => {
    const token = machineToken(alice);
    // With: browser.
    const { status: withCookie, body } = await app.request('GET', path(), {
      token,
      headers: { cookie: '__Host-refresh=a.b' },
    });
    // With: browser.
    expect([withCookie, body['type']]).toEqual([400, '/problems/malformed-request']);
    const headers = { Authorization: [`Bearer ${token}`, `Bearer ${alice.token}`] };
    expect((await app.request('GET', path(), { headers })).status).toBe(400);
    const query = await app.request('GET', `${path()}?access_token=${alice.token}`, { token });
    expect(query.status).toBe(400);
  });

  it('a machine that is refused leaves no principal behind: the audit event has no actor', async () => {
    const token = machineToken({ ...alice, userId: crypto.randomUUID() });
    expect(await status('GET', path(), token)).toBe(401);
    await app.auditEvent('authn_token_fail', ({ details, actor_kind: kind }) => {
      return kind === null && (details as { reason?: string }).reason === 'revoked';
    });
  });

  // With: api-docs.
  it('publishes who may call: the scheme of machines at routes that are open to them, and at no other', () => {
    const { paths, components } = Conformance.of(app.on(0).service).document;
    expect(components?.securitySchemes).toHaveProperty('sample-machine');
    expect(paths['/v1/samples']?.get?.security).toEqual(
      expect.arrayContaining([{ bearer: [] }, { 'sample-machine': [] }]),
    );
    expect(paths['/v1/users/me']?.get?.security).toEqual([{ bearer: [] }]);
  });

  it('opens a route of step-up to machines, which can never pass it: the boot is refused [practice 2.4]', () => {
    class Impossible {
      @Get()
      @StepUp()
      @Can(samplePermissions.read, { kinds: ['machine'] })
      act(): void {}
    }
    Controller('v1/impossible')(Impossible);
    expect(accessFaults({ getControllers: () => [{ metatype: Impossible }] })).toEqual([
      'Impossible.act is open to machines, and none of them can pass @StepUp(): drop one',
    ]);
  });
});
