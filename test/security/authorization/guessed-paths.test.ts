import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InternalPages } from '../../../src/common/http/internal-pages.js';
import { inventory } from '../../../src/inventory/index.js';
import { signUpAdministrator, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';

let app: TestApp;
let admin: Actor;

beforeAll(async () => {
  app = await startApp({ env: { API_DOCS: 'false', RATE_LIMIT_SCALE: '1000' } });
  admin = await signUpAdministrator(app);
});
afterAll(() => app.close());

const routes = inventory();
/** One method of each path: a path that is there would answer 405 to the others. */
const versioned = [
  ...new Map(routes.filter(({ path }) => path.startsWith('/v1/')).map((route) => [route.path, route])).values(),
];

/** With the widest rights that there are: what is not there is there for nobody. */
async function expectNothing(method: string, target: string): Promise<void> {
  const { status, headers, body } = await app.request(method, target, { token: admin.token });
  expect([method, target, status, headers['allow'], body.type]).toEqual([
    method,
    target,
    404,
    undefined,
    '/problems/not-found',
  ]);
}

describe('old and guessed versions (ASVS V15.2)', () => {
  it.each([
    '/v0/',
    '/v2/',
    '/v10/',
    '/v1.0/',
    '/v01/',
    '/v1beta/',
    '/V1/',
    '/',
    '/api/',
    '/api/v1/',
    '/rest/v1/',
    '/v1/v1/',
    '/beta/v1/',
    '/internal/v1/',
  ])('every route below %s: 404, for an administrator too [A9-2]', async (prefix) => {
    for (const { method, path } of versioned) await expectNothing(method, path.replace('/v1/', prefix));
  });

  it.each([
    ['accept-version', '2'],
    ['api-version', '0'],
    ['x-api-version', '2'],
    ['version', '0'],
  ])('a version by the header %s has no meaning: the one of the path answers [A9-2]', async (name, value) => {
    const { status, body } = await app.request('GET', '/v1/users/me', {
      token: admin.token,
      headers: { [name]: value },
    });
    expect([status, body.id]).toEqual([200, admin.userId]);
    expect((await app.request('GET', '/v2/users/me', { token: admin.token, headers: { [name]: '1' } })).status).toBe(
      404,
    );
  });

  it.each(['version=2', 'v=0', 'api-version=1'])('a version by the query %s: 400 [A9-2]', async (query) => {
    expect((await app.request('GET', `/v1/users/me?${query}`, { token: admin.token })).status).toBe(400);
  });
});

const words = `
  admin administrator api app auth backup config console dashboard debug dev dump env graphiql graphql health healthz
  info internal jobs keys livez logs manage metrics monitor ping private queue ready readyz root secrets server-status
  shell staging stats status swagger swagger-ui swagger.json test tokens trace upload users version webhooks wp-admin
  api-docs openapi.yaml redoc schema actuator actuator/env actuator/heapdump .env .git/config .git/HEAD .svn/entries
  .DS_Store robots.txt package.json node_modules/ src/main.ts dist/main.js .data/keys.json keys.json phpinfo.php
  .well-known/openid-configuration
`;
/** Nothing of the list is a route, or begins to be one. */
const paths = words
  .trim()
  .split(/\s+/)
  .flatMap((word) => [`/${word}`, `/v1/${word}`])
  .filter((path) => !routes.some((route) => route.path === path));

describe('what an attacker tries first', () => {
  it('a list of common paths: 404 each, for an administrator too [A9-2] [A8-8] [ASVS 13.4.5]', async () => {
    for (const path of paths) await expectNothing('GET', path);
  });

  // With: api-docs.
  it('the description of the API, with its pages, where it is switched off: 404 [A5-7] [ASVS 13.4.5]', async () => {
    const pages = routes.filter(({ path }) => path.startsWith('/docs') || path === '/openapi.json');
    expect(pages.length).toBeGreaterThan(5);
    for (const { path } of pages) await expectNothing('GET', path);
  });

  it('the pages of the internal listener, from outside: 404 [A5-7] [ASVS 13.4.5]', async () => {
    const internal = app.on(0).service.app.get(InternalPages, { strict: false }).paths();
    expect(internal).toContain('/mailbox');
    for (const path of ['/health/live', '/health/ready', ...internal]) await expectNothing('GET', path);
  });
});
