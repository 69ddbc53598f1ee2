import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inventory } from '../../../src/inventory/index.js';
import { decode, es256, genuineKey } from '../../auth/forge.js';
import { signUp, signUpAdministrator, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';

let app: TestApp;
let alice: Actor;
let victim: Actor;
let admin: Actor;

beforeAll(async () => {
  app = await startApp({ env: { RATE_LIMIT_SCALE: '1000' } });
  [alice, victim, admin] = [await signUp(app, 'alice'), await signUp(app, 'victim'), await signUpAdministrator(app)];
});
afterAll(() => app.close());

const administrators = inventory().filter(({ objects }) => objects === 'any');
const bodies: Readonly<Record<string, object>> = {
  '/v1/users/:id/roles': { roles: ['user', 'admin'] },
  // With: administration.
  '/v1/users/:id/status': { status: 'disabled' },
};

/** Other spellings of a path, as they go over the wire. */
const games: readonly (readonly [name: string, play: (path: string) => string])[] = [
  ['a slash more at the beginning', (path) => `/${path}`],
  ['a slash more inside', (path) => path.replace('/v1/', '/v1//')],
  ['a slash more at the end', (path) => `${path}/`],
  ['a dot at the end', (path) => `${path}.`],
  ['an ending', (path) => `${path}.json`],
  ['a blank at the end', (path) => `${path}%20`],
  ['a NUL at the end', (path) => `${path}%00`],
  ['a line end at the end', (path) => `${path}%0d%0a`],
  ['a dot segment', (path) => `/.${path}`],
  ['up and down again', (path) => path.replace('/v1/', '/v1/x/../')],
  ['up and down again, escaped', (path) => path.replace('/v1/', '/v1/x/%2e%2e/')],
  ['up from what everybody may call', (path) => path.replace('/v1/', '/v1/auth/login/../../')],
  ['a matrix parameter at the end', (path) => `${path};a=b`],
  ['a matrix parameter inside', (path) => path.replace('/v1/', '/v1;a=b/')],
  ['upper case', (path) => path.toUpperCase()],
  ['an escaped slash', (path) => path.replace('/v1/', '/v1%2f')],
  ['a backslash', (path) => path.replace('/v1/', '/v1\\')],
  ['an escape inside an escape', (path) => path.replace('/v1/', '/%25761/')],
  ['an overlong slash', (path) => path.replace('/v1/', '/v1%c0%af')],
  ['full width letters', (path) => path.replace('/v1/', '/%ef%bd%961/')],
  ['the absolute form', (path) => `https://localhost${path}`],
  ['the absolute form with a user', (path) => `https://admin@localhost${path}`],
  ['a fragment', (path) => `${path}#x`],
];

const targetOf = (path: string) => path.replace(':id', victim.userId);
const call = (method: string, path: string, { token }: Actor, target: string) =>
  app.request(method, target, { token, body: bodies[path] });
const state = () =>
  app.sql(
    'SELECT u.id, u.roles, u.status, s.id AS session, s.ended_at FROM users u LEFT JOIN sessions s ON s.user_id ' +
      '= u.id ORDER BY u.id, s.id',
  );

describe('routes of administrators, spelled in another way (ASVS V8.2) [practice 2.3]', () => {
  it.each(games)(
    'somebody without the right tries %s: refused, and nothing has happened [A5-2] [ASVS 8.2.1]',
    async (_name, play) => {
      const before = await state();
      for (const { method, path } of administrators) {
        const { status, text } = await call(method, path, alice, play(targetOf(path)));
        expect([method, path, [400, 403, 404, 405].includes(status) ? 'refused' : status]).toEqual([
          method,
          path,
          'refused',
        ]);
        expect(text).not.toContain(victim.userId);
      }
      expect(await state()).toEqual(before);
    },
  );

  it.each(games)('an administrator tries %s: a path has one spelling, and this is none [A5-2]', async (_name, play) => {
    const { status } = await call('GET', '/v1/users', admin, play('/v1/users'));
    expect([400, 404]).toContain(status);
  });

  it('an escaped letter is another spelling (RFC 3986 s6.2.2.2): refused, whoever asks [A5-2]', async () => {
    for (const target of ['/%761/users', '/v1/%75sers', '/v1/user%73']) {
      for (const token of [alice.token, undefined, admin.token])
        expect((await app.request('GET', target, { token })).status).toBe(400);
    }
  });

  it.each(['x-original-url', 'x-rewrite-url', 'x-forwarded-uri', 'x-http-method-override', 'x-forwarded-prefix'])(
    'another path or method in %s has no meaning: the route of the request line answers [A5-1] [A5-2]',
    async (name) => {
      const before = await state();
      const value = name.includes('method') ? 'DELETE' : '/v1/users';
      const { status, body } = await app.request('GET', '/v1/users/me', {
        token: alice.token,
        headers: { [name]: value },
      });
      expect([status, body.id]).toEqual([200, alice.userId]);
      expect(await state()).toEqual(before);
    },
  );
});

describe('rights that the caller claims to have (ASVS V8.3)', () => {
  it.each([
    'x-role',
    'x-roles',
    'x-user-id',
    'x-user-role',
    'x-authenticated-user',
    'x-forwarded-user',
    'x-admin',
    'role',
    'cookie',
  ])('claims them in %s: nobody reads it, 403 [ASVS 8.3.1]', async (name) => {
    const value =
      name === 'cookie'
        ? `role=admin; isAdmin=true; userId=${admin.userId}`
        : name.includes('user')
          ? admin.userId
          : 'admin';
    expect((await app.request('GET', '/v1/users', { token: alice.token, headers: { [name]: value } })).status).toBe(
      403,
    );
    expect((await app.request('GET', '/v1/users', { headers: { [name]: value } })).status).toBe(401);
  });

  it.each([
    { roles: ['user', 'admin'] },
    { role: 'admin' },
    { scope: 'user:list' },
    { isAdmin: true },
    { permissions: ['user:list'] },
  ])(
    'claims %o in a token with a genuine signature: roles come from the row of the user, 403 [ASVS 8.3.1]',
    async (claims) => {
      const { header, payload } = decode(alice.token);
      const token = es256(genuineKey(app), header, { ...payload, ...claims });
      expect((await app.request('GET', '/v1/users/me', { token })).status).toBe(200);
      expect((await app.request('GET', '/v1/users', { token })).status).toBe(403);
    },
  );
});
