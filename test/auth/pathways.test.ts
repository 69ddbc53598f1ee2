import { globSync, readFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signIn, signUp, signUpAdministrator, type Actor } from '../support/actors.js';
import { startApp, type TestApp } from '../support/app.js';
import { fingerprint } from '../support/fingerprint.js';
import { documentOf, routesOf, type DocumentedRoute } from '../support/open-api.js';
import { SampleFactorModule } from '../support/sample/sample-factor.module.js';
import { SamplesModule } from '../support/sample/samples.module.js';
import { createSample } from '../support/sample/samples.js';
import { enrolFactor, halfSignIn } from '../support/second-factors.js';
import { everyPathway } from './pathways.parts.js';

let app: TestApp;
let alice: Actor;
let admin: Actor;
let schemas: Record<string, unknown>;
let operations: DocumentedRoute[];

beforeAll(async () => {
  app = await startApp({ modules: [SamplesModule, SampleFactorModule] });
  [alice, admin] = await Promise.all([signUp(app, 'alice'), signUpAdministrator(app)]);
  const document = documentOf(app);
  schemas = document.components?.schemas ?? {};
  operations = routesOf(document);
});
afterAll(() => app.close());

/** Whether an answer of that form can hold an access token, at whatever depth. */
function holdsAccessToken(schema: unknown): boolean {
  if (typeof schema !== 'object' || schema === null) return false;
  const { $ref, properties } = schema as { $ref?: string; properties?: object };
  if ($ref !== undefined) return holdsAccessToken(schemas[$ref.split('/').at(-1) ?? '']);
  if (properties !== undefined && 'accessToken' in properties) return true;
  return Object.values(schema).some((part) => holdsAccessToken(part));
}

/** The routes whose answers hold an access token, in the order of their names. */
const issuing = (): string[] =>
  operations
    .filter(({ responses }) => holdsAccessToken(responses))
    .map(({ method, path }) => `${method} ${path}`)
    .toSorted();

const gets = () => operations.filter(({ method }) => method === 'GET').map(({ path }) => path);
const filled = (path: string, id: string) => path.replaceAll(/\{\w+\}/g, id);

describe('the ways into an account, and what they must not grow (ASVS V6.3, V6.4, V7.2)', () => {
  it('every route that hands out a session is known: a further one needs a review', () =>
    expect(issuing(), 'name it in pathways.ts beside the tests of its feature').toEqual(
      everyPathway.map(([route]) => route),
    ));

  it('knows only the password: none of these routes gives a whole session [ASVS 6.3.4] [A2-6]', async () => {
    const person = await signUp(app, 'owner');
    const { refreshToken } = await signIn(app, person);
    const owner = await enrolFactor(app, person);
    const whole = () =>
      app.sql('SELECT id FROM sessions WHERE user_id = $1 AND ended_at IS NULL AND NOT factor_due', [owner.userId]);
    const before = await whole();
    const token = await halfSignIn(app, owner);
    for (const [route, { body, isFirstStep, status = 401 }] of everyPathway) {
      const [method = '', path = ''] = route.split(' ');
      const parts = { body: body({ app, owner, refreshToken }), ...(isFirstStep ? {} : { token }) };
      expect([route, (await app.request(method, path, parts)).status]).toEqual([route, status]);
    }
    expect(await whole()).toEqual(before);
  });

  it('looks for hints and secret questions in API and schema: there are none [ASVS 6.4.2]', async () => {
    const text = JSON.stringify(documentOf(app));
    const columns = await app.sql<{ name: string }>(
      `SELECT column_name AS name FROM information_schema.columns WHERE table_schema = 'public'`,
    );
    expect([...text.matchAll(/hint|secret.?question|security.?question/gi)]).toEqual([]);
    expect(columns.filter(({ name }) => /hint|question|answer/i.test(name))).toEqual([]);
  });

  it('secrets come from the system: nothing asks Math.random [ASVS 6.5.3] [ASVS 7.2.3]', () => {
    const asking = globSync('src/**/*.ts', { exclude: ['src/generated/**'] }).filter((file) =>
      readFileSync(file, 'utf8').includes('Math.random'),
    );
    expect(asking).toEqual([]);
  });

  it('fifty sign-ins: nothing twice, 256 bits of MAC in each refresh token [ASVS 7.2.3]', async () => {
    const sessions = [];
    for (let count = 0; count < 50; count++) sessions.push(await signIn(app, alice));
    const claims = sessions.map(
      ({ token }) =>
        JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { sid: string; jti: string },
    );
    for (const values of [
      sessions.map(({ token }) => token),
      sessions.map(({ refreshToken }) => refreshToken),
      claims.map(({ sid }) => sid),
      claims.map(({ jti }) => jti),
    ]) {
      expect(new Set(values).size).toBe(50);
    }
    const mac = Buffer.from(sessions[0]?.refreshToken.split('.').at(-1) ?? '', 'base64url').subarray(-32);
    expect(mac).toHaveLength(32);
  });

  it('the audience of a token is this deployment, in the token itself [ASVS 9.2.4]', async () => {
    const { token } = await signIn(app, alice);
    const { aud, iss } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as {
      aud: string;
      iss: string;
    };
    expect([aud, iss]).toEqual([iss, aud]);
    expect(aud).toMatch(/^https:\/\/[^/]+$/);
  });
});

describe('answers that a browser could be tricked with (ASVS V3.5)', () => {
  it('GET and HEAD on every route, as user and as administrator: not one row changes [ASVS 3.5.3]', async () => {
    const { id } = await createSample(app, alice);
    const [user, administrator] = [await signIn(app, alice), await signIn(app, admin)];
    const before = await fingerprint(app);
    for (const path of gets()) {
      for (const method of ['GET', 'HEAD']) {
        for (const { token } of [user, administrator]) {
          const { status } = await app.request(method, filled(path, id), { token });
          expect([path, status < 500]).toEqual([path, true]);
        }
      }
    }
    expect(await fingerprint(app)).toEqual(before);
  });

  it('an overriding method in a header or the query is not obeyed [ASVS 3.5.3]', async () => {
    const { id } = await createSample(app, alice);
    const { token } = await signIn(app, alice);
    const headers = { 'x-http-method-override': 'DELETE', 'x-method-override': 'DELETE', 'x-http-method': 'DELETE' };
    expect((await app.request('GET', `/v1/samples/${id}`, { token, headers })).status).toBe(200);
    expect((await app.request('GET', `/v1/samples/${id}?_method=DELETE`, { token })).status).toBe(400);
    expect(await app.sql('SELECT id FROM samples WHERE id = $1', [id])).toHaveLength(1);
  });

  it('callback= and jsonp=: nothing answers in a script type [ASVS 3.5.6] [ASVS 3.5.7] [ASVS 3.5.8]', async () => {
    const { token } = await signIn(app, admin);
    for (const path of gets().filter((route) => !route.startsWith('/docs'))) {
      const { headers, text } = await app.request('GET', `${filled(path, randomUUID())}?callback=steal&jsonp=steal`, {
        token,
      });
      expect([path, headers['content-type']]).toEqual([path, expect.stringMatching(/^application\/(problem\+)?json/)]);
      expect([path, text.includes('steal(')]).toEqual([path, false]);
      // With: headers.
      expect([path, headers['cross-origin-resource-policy'], headers['x-content-type-options']]).toEqual([
        path,
        'same-origin',
        'nosniff',
      ]);
    }
  });
});
