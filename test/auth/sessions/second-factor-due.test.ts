import { DiscoveryService } from '@nestjs/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ACCESS, BEFORE_SECOND_FACTOR, type Access } from '../../../src/common/access/access.decorators.js';
import { listHandlers, type Handler } from '../../../src/common/http/handlers.js';
import { signUp, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { SampleFactorModule } from '../../support/sample/sample-factor.module.js';
import { documentOf, routesOf } from '../../support/open-api.js';
import { decode } from '../forge.js';

const someId = '00000000-0000-7000-8000-000000000000';

// Somebody who has stolen the password and nothing else, and calls every route there is.
describe('after the password alone, while the second factor is due [A2-6] [ASVS 6.3.3]', () => {
  let app: TestApp;
  let alice: Actor;
  let handlers: readonly Handler[];
  beforeAll(async () => {
    app = await startApp({ instances: 1, modules: [SampleFactorModule] });
    alice = await signUp(app, 'alice-pre');
    await app.operate('UPDATE sessions SET factor_due = true WHERE id = $1', [decode(alice.token).payload['sid']]);
    // The micro-cache of the session may still know it as a whole one.
    app.clock.advance(3);
    handlers = listHandlers(app.on(0).service.app.get(DiscoveryService, { strict: false }));
  });
  afterAll(() => app.close());

  /** For example `PATCH /v1/users/:id`. */
  const documentedRoutes = (): string[] =>
    routesOf(documentOf(app)).map(({ method, path }) => `${method} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`);
  const accessOf = (route: string) => {
    const method = handlers.find((handler) => handler.route === route)?.method as object;
    return {
      access: Reflect.getMetadata(ACCESS, method) as Access,
      before: Reflect.getMetadata(BEFORE_SECOND_FACTOR, method) as unknown,
    };
  };

  it('calls every route that is neither public nor marked: 401 second-factor-required, whatever is sent', async () => {
    const routes = documentedRoutes();
    const closed = routes.filter(
      (route) => accessOf(route).access.kind === 'permission' && accessOf(route).before !== 'any',
    );
    expect(closed.length).toBeGreaterThan(10);
    for (const route of closed) {
      const [method = '', path = ''] = route.split(' ');
      const parts = {
        token: alice.token,
        headers: { 'if-match': '"1"' },
        ...(method === 'GET' || method === 'DELETE' ? {} : { body: {} }),
      };
      const { status, body, headers } = await app.request(method, path.replaceAll(/:\w+/g, someId), parts);
      expect([route, status, body.type]).toEqual([route, 401, '/problems/second-factor-required']);
      expect(headers['www-authenticate']).toBe('Bearer error="insufficient_user_authentication", acr_values="aal2"');
    }
  });

  it('the marked routes do nothing but prove a factor', () => {
    const marked = documentedRoutes()
      .map((route) => accessOf(route))
      .filter(({ before }) => before === 'any');
    for (const { access } of marked)
      expect(access).toMatchObject({ kind: 'permission', permission: { name: 'factor:prove' } });
  });

  it('refreshes with the token of before: 401, the session cannot be prolonged', async () => {
    expect((await app.request('POST', '/v1/auth/refresh', { body: { refreshToken: alice.refreshToken } })).status).toBe(
      401,
    );
  });

  it('ends the sessions of the owner: refused, and the half session is left as it was', async () => {
    expect((await app.request('DELETE', '/v1/auth/sessions/others', { token: alice.token })).status).toBe(401);
    expect(await app.sql('SELECT ended_at, factor_due FROM sessions WHERE user_id = $1', [alice.userId])).toEqual([
      { ended_at: null, factor_due: true },
    ]);
  });

  it('changes its mind and signs out: the half session ends', async () => {
    expect((await app.request('POST', '/v1/auth/logout', { token: alice.token })).status).toBe(204);
    expect(await app.sql('SELECT end_reason FROM sessions WHERE user_id = $1', [alice.userId])).toEqual([
      { end_reason: 'logout' },
    ]);
  });
});
