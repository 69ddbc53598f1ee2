import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { signUp, signUpWithEveryRole, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { fingerprint } from '../../support/fingerprint.js';
import { inventoryWithSamples } from '../../support/inventory.js';
import { SamplesModule } from '../../support/sample/samples.module.js';
import { createSample, storedSample } from '../../support/sample/samples.js';
import { unlimited } from '../../support/unlimited.js';
import { actors } from './matrix.actors.js';
import { callOf, type Players } from './matrix.parts.js';

let app: TestApp;
let alice: Actor;
let admin: Actor;
let own: string;
/** An object of the administrator for each route that takes an id. */
const ids = new Map<Route, string>();

const routes = inventoryWithSamples().filter(({ path, access }) => path.includes(':') && access !== 'public');
type Route = (typeof routes)[number];

beforeAll(async () => {
  unlimited();
  app = await startApp({ modules: [SamplesModule], env: { RATE_LIMIT_SCALE: '1000' } });
  [alice, admin] = [await signUp(app, 'alice'), await signUpWithEveryRole(app)];
  own = (await createSample(app, alice)).id;
  const people = Object.fromEntries(actors.map((name) => [name, admin])) as Players['people'];
  for (const route of routes) {
    const stage = await callOf(route.method, route.path)?.on?.({ app, people, victim: alice });
    ids.set(route, stage?.id ?? admin.userId);
  }
});
afterAll(async () => {
  vi.restoreAllMocks();
  await app.close();
});

/** Each is, to some parser, the id that it was made of; to ours it is none. */
const shapes: readonly (readonly [name: string, shape: (id: string) => string])[] = [
  ['in upper case', (id) => id.toUpperCase()],
  ['in braces', (id) => `%7B${id}%7D`],
  ['as a URN', (id) => `urn:uuid:${id}`],
  ['without hyphens', (id) => id.replaceAll('-', '')],
  ['with a NUL', (id) => `${id}%00`],
  ['with a NUL, escaped twice', (id) => `${id}%2500`],
  ['with hyphens escaped twice', (id) => id.replaceAll('-', '%252d')],
  ['with a blank', (id) => `%20${id}`],
  ['with a line end', (id) => `${id}%0a`],
  ['with a comma and itself', (id) => `${id},${id}`],
  ['with a matrix parameter', (id) => `${id};id=${id}`],
  ['as a list', (id) => `[${id}]`],
  ['as text', (id) => `%22${id}%22`],
  ['as SQL', (id) => `${id}'%20OR%20'1'='1`],
  ['as 2^63', () => '9223372036854775808'],
  ['as -1', () => '-1'],
  ['as 1e1', () => '1e1'],
  ['as null', () => 'null'],
  ['as __proto__', () => '__proto__'],
  ['as *', () => '*'],
  ['as a way up', () => '..%2fme'],
  ['as a UUIDv4', () => 'f47ac10b-58cc-4372-a567-0e02b2c3d479'],
  ['as the nil UUID', () => '00000000-0000-0000-0000-000000000000'],
  ['with digits of another script', (id) => id.replace(/^0/, '%D9%A0')],
];

/** With every right that the route asks for: only the form of the id stands in the way. */
async function call(route: Route, shape: (id: string) => string): Promise<number> {
  const { method, path } = route;
  const target = path.replaceAll(/:\w+/g, shape(ids.get(route) ?? ''));
  const { body } = callOf(method, path) ?? {};
  return (await app.request(method, target, { token: admin.token, headers: { 'if-match': '"1"' }, body })).status;
}

describe('one object has one spelling (ASVS V1.1, V15.3) [practice 3.1]', () => {
  it.each(shapes)(
    'an id %s: 400 or 404 on every route that takes one, never 500 [A1-8] [ASVS 1.1.1] [ASVS 1.2.4]',
    async (_, shape) => {
      const before = await fingerprint(app);
      for (const route of routes) {
        const status = await call(route, shape);
        expect([route.method, route.path, [400, 404].includes(status) ? 'refused' : status]).toEqual([
          route.method,
          route.path,
          'refused',
        ]);
      }
      expect(await fingerprint(app)).toEqual(before);
    },
  );

  it.each(['id[]', 'id', 'id%5B0%5D'])(
    'an id in the query too, as %s: 400, the path alone names the object [A1-8] [ASVS 15.3.7]',
    async (name) => {
      const other = (await createSample(app, alice)).id;
      for (const query of [`${name}=${other}`, `${name}=${own}&${name}=${other}`]) {
        expect(
          (
            await app.request('DELETE', `/v1/samples/${own}?${query}`, {
              token: alice.token,
              headers: { 'if-match': '"1"' },
            })
          ).status,
        ).toBe(400);
      }
      expect([await storedSample(app, own), await storedSample(app, other)]).not.toContain(undefined);
    },
  );

  it('an id in the body too, of another object: 400, and neither has changed [A1-8] [ASVS 15.3.7]', async () => {
    const other = (await createSample(app, alice)).id;
    const before = [await storedSample(app, own), await storedSample(app, other)];
    const answer = await app.request('PATCH', `/v1/samples/${own}`, {
      token: alice.token,
      headers: { 'if-match': '"1"' },
      body: { id: other, title: 'Mine' },
    });
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ pointer: '/id', code: 'unknown-field' }] } });
    expect([await storedSample(app, own), await storedSample(app, other)]).toEqual(before);
  });
});
