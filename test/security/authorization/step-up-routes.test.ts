import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signUpWithEveryRole, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { documentOf, routesOf, type DocumentedRoute } from '../../support/open-api.js';
import { unlimited } from '../../support/unlimited.js';
import { parts } from './matrix.parts.js';

/** As each feature declares them in its part of the matrix. */
const demanding = parts
  .flatMap(({ calls }) => Object.entries(calls))
  .flatMap(([route, { stepUp }]) => (stepUp === true ? route.replaceAll(/:(\w+)/g, '{$1}') : []))
  .toSorted();

let app: TestApp;
let admin: Actor;
let routes: DocumentedRoute[];

beforeAll(async () => {
  unlimited();
  app = await startApp({ instances: 1 });
  routes = routesOf(documentOf(app));
  admin = await signUpWithEveryRole(app);
});
afterAll(() => app.close());

/**
 * With a parameter or a field that no route knows: what does not ask for a fresh sign-in goes no further than to refuse
 * that.
 */
const ask = ({ method, path }: DocumentedRoute, token: string) =>
  app.request(method, `${path.replaceAll(/\{\w+\}/g, randomUUID())}?unknown=1`, {
    token,
    ...(method === 'GET' || method === 'DELETE' ? {} : { body: { unknown: 1 } }),
  });

describe('a stolen session of six minutes, with all rights [ASVS 7.5.1] [ASVS 7.5.3] [ASVS 10.3.4] [A2-8]', () => {
  it('asks every route: 401 with the challenge exactly where a fresh sign-in is demanded [practice 2.5]', async () => {
    app.clock.advance(6 * 60);
    const { body: tokens } = await app.request('POST', '/v1/auth/refresh', {
      body: { refreshToken: admin.refreshToken },
    });
    const refused = [];
    for (const route of routes) {
      const name = `${route.method} ${route.path}`;
      const { status, headers, body } = await ask(route, tokens.accessToken as string);
      expect([name, status]).toEqual([name, expect.toSatisfy((code: number) => code >= 400 && code < 500)]);
      if (body.type !== '/problems/step-up-required') continue;
      expect([name, status, headers['www-authenticate']]).toEqual([name, 401, expect.stringContaining('max_age=')]);
      refused.push(name);
    }
    const fix =
      'a further one, or one less, is a decision: `stepUp: true` in matrix.ts beside the tests of its feature';
    expect(demanding.length).toBeGreaterThan(0);
    expect(refused.toSorted(), fix).toEqual(demanding);
  });
});
