import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inventory } from '../../../src/inventory/index.js';
import { signUp, signUpAdministrator, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { createResource, storedRow } from '../../support/resources.js';
import { calls } from './matrix.calls.js';

let app: TestApp;
let alice: Actor;
let admin: Actor;
let own: string;

beforeAll(async () => {
  app = await startApp({ env: { RATE_LIMIT_SCALE: '1000' } });
  [alice, admin] = [await signUp(app, 'alice'), await signUpAdministrator(app)];
  own = (await createResource(app, alice)).id;
});
afterAll(() => app.close());

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

/** Invitations are limited per day, so that the route which sends them meets the first of the shapes only. */
const routesFor = (name: string) =>
  inventory().filter(({ path, access, limit }) => path.includes(':') && access !== 'public' && (limit !== 'invite' || shapes.slice(0, 3).some(([one]) => one === name)));

/** With every right that the route asks for: only the form of the id stands in the way. */
function call(method: string, path: string, shape: (id: string) => string) {
  const actor = path.startsWith('/v1/users/') ? admin : alice;
  const id = path.includes('/resources/') ? own : alice.userId;
  return app.request(method, path.replaceAll(/:\w+/g, shape(id)), { token: actor.token, headers: { 'if-match': '"1"' }, body: calls[`${method} ${path}`]?.body });
}

describe('one object has one spelling (ASVS V1.1, V15.3) [practice 3.1]', () => {
  it.each(shapes)('an id %s: 400 or 404 on every route that takes one, never 500, and nothing has changed [A1-8] [ASVS 1.1.1] [ASVS 1.2.4]', async (name, shape) => {
    const before = [await storedRow(app, own), await app.sql('SELECT * FROM users ORDER BY id')];
    for (const { method, path } of routesFor(name)) {
      const { status } = await call(method, path, shape);
      expect([method, path, [400, 404].includes(status) ? 'refused' : status]).toEqual([method, path, 'refused']);
    }
    expect([await storedRow(app, own), await app.sql('SELECT * FROM users ORDER BY id')]).toEqual(before);
  });

  it.each(['id[]', 'id', 'id%5B0%5D'])('an id in the query too, as %s: 400, the path alone names the object [A1-8] [ASVS 15.3.7]', async (name) => {
    const other = (await createResource(app, alice)).id;
    for (const query of [`${name}=${other}`, `${name}=${own}&${name}=${other}`]) {
      expect((await app.request('DELETE', `/v1/resources/${own}?${query}`, { token: alice.token, headers: { 'if-match': '"1"' } })).status).toBe(400);
    }
    expect([await storedRow(app, own), await storedRow(app, other)]).not.toContain(undefined);
  });

  it('an id in the body too, of another object: 400, and neither has changed [A1-8] [ASVS 15.3.7]', async () => {
    const other = (await createResource(app, alice)).id;
    const before = [await storedRow(app, own), await storedRow(app, other)];
    const answer = await app.request('PATCH', `/v1/resources/${own}`, { token: alice.token, headers: { 'if-match': '"1"' }, body: { id: other, title: 'Mine' } });
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ pointer: '/id', code: 'unknown-field' }] } });
    expect([await storedRow(app, own), await storedRow(app, other)]).toEqual(before);
  });
});
