import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signIn, signUp, signUpAdministrator, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { Authenticator } from '../../support/authenticator.js';
import { createResource, shareWith, unshare } from '../../support/resources.js';

// Every route of the service as every actor: who gets what, in one table that one can read [API5] [A5-1] [ASVS 8.2.1].

const actors = ['anonymous', 'owner', 'editor', 'viewer', 'stranger', 'exMember', 'admin', 'disabled', 'forged'] as const;
type ActorName = (typeof actors)[number];

interface Context {
  readonly id: string;
  readonly etag: string;
  readonly someoneId: string;
}

interface Route {
  readonly method: string;
  readonly path: (context: Context) => string;
  readonly body?: unknown;
  /** For what can be sent once only. */
  readonly freshBody?: () => unknown;
  /** The call ends the caller's session or account: each actor comes with another one of the same standing. */
  readonly fresh?: (actor: ActorName) => Promise<Actor>;
  /** In the order of `actors`. */
  readonly expected: readonly number[];
}

const resource = ({ id }: Context) => `/v1/resources/${id}`;
const guest = { anonymous: 401, disabled: 401, forged: 401 };

/** The same for everybody who is signed in. */
const signedIn = (status: number) => actors.map((actor) => (guest as Record<string, number>)[actor] ?? status);
const byActor = (expected: Partial<Record<ActorName, number>>, others: number) =>
  actors.map((actor) => expected[actor] ?? (guest as Record<string, number>)[actor] ?? others);
/** Public routes take anybody, but never a credential that is not valid. */
const everybody = (status: number) => actors.map((actor) => (actor === 'disabled' || actor === 'forged' ? 401 : status));

const routes: Readonly<Record<string, Route>> = {
  'GET /v1/users/me': { method: 'GET', path: () => '/v1/users/me', expected: signedIn(200) },
  'PATCH /v1/users/me': { method: 'PATCH', path: () => '/v1/users/me', body: { phone: null }, expected: signedIn(200) },
  'GET /v1/users/me/export': { method: 'GET', path: () => '/v1/users/me/export', expected: signedIn(200) },
  'GET /v1/users': { method: 'GET', path: () => '/v1/users', expected: byActor({ admin: 200 }, 403) },
  'GET /v1/users/:id': { method: 'GET', path: ({ someoneId }) => `/v1/users/${someoneId}`, expected: byActor({ admin: 200 }, 403) },
  'PATCH /v1/users/:id/roles': {
    method: 'PATCH',
    path: ({ someoneId }) => `/v1/users/${someoneId}/roles`,
    body: { roles: ['user'] },
    expected: byActor({ admin: 200 }, 403),
  },
  'PATCH /v1/users/:id/status': {
    method: 'PATCH',
    path: () => `/v1/users/${victim.userId}/status`,
    body: { status: 'active' },
    fresh: freshSession,
    expected: byActor({ admin: 200 }, 403),
  },
  'POST /v1/users/:id/password-reset': {
    method: 'POST',
    path: () => `/v1/users/${victim.userId}/password-reset`,
    fresh: freshSession,
    expected: byActor({ admin: 204 }, 403),
  },
  'DELETE /v1/users/:id/sessions': {
    method: 'DELETE',
    path: () => `/v1/users/${victim.userId}/sessions`,
    fresh: freshSession,
    expected: byActor({ admin: 204 }, 403),
  },
  // It would end every session of this table: an administrator who signed in some time ago is asked to do it again.
  'DELETE /v1/sessions': { method: 'DELETE', path: () => '/v1/sessions', fresh: staleSession, expected: byActor({ admin: 401 }, 403) },
  'POST /v1/resources': { method: 'POST', path: () => '/v1/resources', body: { title: 't', body: 'b' }, expected: signedIn(201) },
  'GET /v1/resources': { method: 'GET', path: () => '/v1/resources', expected: signedIn(200) },
  'GET /v1/resources/:id': { method: 'GET', path: resource, expected: byActor({ owner: 200, editor: 200, viewer: 200 }, 404) },
  'PATCH /v1/resources/:id': {
    method: 'PATCH',
    path: resource,
    body: { title: 'changed' },
    expected: byActor({ owner: 200, editor: 200, viewer: 403 }, 404),
  },
  'DELETE /v1/resources/:id': { method: 'DELETE', path: resource, expected: byActor({ owner: 204, editor: 403, viewer: 403 }, 404) },
  'GET /v1/resources/:id/shares': {
    method: 'GET',
    path: (context) => `${resource(context)}/shares`,
    expected: byActor({ owner: 200, editor: 403, viewer: 403 }, 404),
  },
  'PUT /v1/resources/:id/shares/:userId': {
    method: 'PUT',
    path: (context) => `${resource(context)}/shares/${context.someoneId}`,
    body: { role: 'viewer' },
    expected: byActor({ owner: 200, editor: 403, viewer: 403 }, 404),
  },
  'DELETE /v1/resources/:id/shares/:userId': {
    method: 'DELETE',
    path: (context) => `${resource(context)}/shares/${context.someoneId}`,
    expected: byActor({ owner: 204, editor: 403, viewer: 403 }, 404),
  },
  'DELETE /v1/users/me': { method: 'DELETE', path: () => '/v1/users/me', fresh: freshPerson, expected: signedIn(204) },
  'POST /v1/auth/logout': { method: 'POST', path: () => '/v1/auth/logout', fresh: freshSession, expected: signedIn(204) },
  'GET /v1/auth/sessions': { method: 'GET', path: () => '/v1/auth/sessions', expected: signedIn(200) },
  'DELETE /v1/auth/sessions': { method: 'DELETE', path: () => '/v1/auth/sessions', fresh: freshPerson, expected: signedIn(204) },
  'DELETE /v1/auth/sessions/others': { method: 'DELETE', path: () => '/v1/auth/sessions/others', fresh: freshPerson, expected: signedIn(204) },
  'DELETE /v1/auth/sessions/:id': {
    method: 'DELETE',
    // No session has the id of a user: what is there for the owner of one is tested beside the sessions.
    path: ({ someoneId }) => `/v1/auth/sessions/${someoneId}`,
    fresh: freshSession,
    expected: signedIn(404),
  },
  'POST /v1/auth/login': {
    method: 'POST',
    path: () => '/v1/auth/login',
    // Whoever signs in anew ends the session that the call came with.
    fresh: freshSession,
    freshBody: () => ({ email: people.owner.email, password: people.owner.password }),
    expected: everybody(200),
  },
  'POST /v1/auth/refresh': {
    method: 'POST',
    path: () => '/v1/auth/refresh',
    freshBody: async () => ({ refreshToken: (await signIn(app, people.owner)).refreshToken }),
    expected: everybody(200),
  },
  'POST /v1/auth/register': {
    method: 'POST',
    path: () => '/v1/auth/register',
    freshBody: () => ({ email: `matrix.${randomBytes(6).toString('hex')}@example.org` }),
    expected: everybody(202),
  },
  'POST /v1/auth/email/verify': {
    method: 'POST',
    path: () => '/v1/auth/email/verify',
    body: { token: 'x', password: 'violet harbour counts to nine', name: 'M' },
    expected: everybody(400),
  },
  'POST /v1/auth/passkeys/registration-options': { method: 'POST', path: () => '/v1/auth/passkeys/registration-options', expected: signedIn(200) },
  // A challenge that nobody handed out: what a genuine answer gets is tested beside the passkeys.
  'POST /v1/auth/passkeys': { method: 'POST', path: () => '/v1/auth/passkeys', body: { name: 'n', credential: staleCredential().created }, expected: signedIn(400) },
  'GET /v1/auth/passkeys': { method: 'GET', path: () => '/v1/auth/passkeys', expected: signedIn(200) },
  'PATCH /v1/auth/passkeys/:id': { method: 'PATCH', path: ({ someoneId }) => `/v1/auth/passkeys/${someoneId}`, body: { name: 'n' }, expected: signedIn(404) },
  'DELETE /v1/auth/passkeys/:id': { method: 'DELETE', path: ({ someoneId }) => `/v1/auth/passkeys/${someoneId}`, expected: signedIn(404) },
  'POST /v1/auth/passkeys/sign-in-options': { method: 'POST', path: () => '/v1/auth/passkeys/sign-in-options', expected: everybody(200) },
  'POST /v1/auth/passkeys/sign-in': {
    method: 'POST',
    path: () => '/v1/auth/passkeys/sign-in',
    body: { credential: staleCredential().used },
    expected: everybody(401),
  },
  // Whoever changes a factor must have signed in a moment ago.
  'POST /v1/auth/totp': { method: 'POST', path: () => '/v1/auth/totp', fresh: freshPerson, expected: signedIn(201) },
  'DELETE /v1/auth/totp': { method: 'DELETE', path: () => '/v1/auth/totp', fresh: freshPerson, expected: signedIn(404) },
  'POST /v1/auth/totp/confirm': { method: 'POST', path: () => '/v1/auth/totp/confirm', body: { code: '000000' }, expected: signedIn(401) },
  'POST /v1/auth/totp/verify': { method: 'POST', path: () => '/v1/auth/totp/verify', body: { code: '000000' }, expected: signedIn(409) },
  'POST /v1/auth/recovery-codes': { method: 'POST', path: () => '/v1/auth/recovery-codes', fresh: freshPerson, expected: signedIn(409) },
  'GET /v1/auth/recovery-codes': { method: 'GET', path: () => '/v1/auth/recovery-codes', expected: signedIn(200) },
  'POST /v1/auth/recovery-codes/verify': { method: 'POST', path: () => '/v1/auth/recovery-codes/verify', body: { code: 'x' }, expected: signedIn(409) },
  'POST /v1/auth/email/resend': {
    method: 'POST',
    path: () => '/v1/auth/email/resend',
    freshBody: () => ({ email: `matrix.${randomBytes(6).toString('hex')}@example.org` }),
    expected: everybody(202),
  },
  'POST /v1/auth/password/forgot': {
    method: 'POST',
    path: () => '/v1/auth/password/forgot',
    freshBody: () => ({ email: `matrix.${randomBytes(6).toString('hex')}@example.org` }),
    expected: everybody(202),
  },
  'POST /v1/auth/password/reset': {
    method: 'POST',
    path: () => '/v1/auth/password/reset',
    body: { token: 'x', password: 'violet harbour counts to nine' },
    expected: everybody(400),
  },
  'POST /v1/auth/password/change': {
    method: 'POST',
    path: () => '/v1/auth/password/change',
    fresh: freshSession,
    // Each right to the route, and none of them knows the present password.
    body: { oldPassword: 'not the present one', newPassword: 'violet harbour counts to nine' },
    expected: signedIn(422),
  },
  'POST /v1/auth/email/change': {
    method: 'POST',
    path: () => '/v1/auth/email/change',
    fresh: freshSession,
    freshBody: () => ({ email: `matrix.${randomBytes(6).toString('hex')}@example.org` }),
    expected: signedIn(202),
  },
  'POST /v1/auth/email/confirm': { method: 'POST', path: () => '/v1/auth/email/confirm', body: { token: 'x' }, expected: everybody(400) },
  'GET /.well-known/jwks.json': { method: 'GET', path: () => '/.well-known/jwks.json', expected: everybody(200) },
};

let app: TestApp;
/** Somebody whom administrators act upon. */
let victim: Actor;
let people: Readonly<Record<ActorName, Actor>>;

beforeAll(async () => {
  app = await startApp();
  const [owner, editor, viewer, stranger, exMember, admin, disabled] = (await Promise.all([
    ...['owner', 'editor', 'viewer', 'stranger', 'exmember'].map((name) => signUp(app, name)),
    signUpAdministrator(app),
    signUp(app, 'disabled'),
  ])) as [Actor, Actor, Actor, Actor, Actor, Actor, Actor];
  await app.sql(`UPDATE users SET status = 'disabled' WHERE id = $1`, [disabled.userId]);
  people = { anonymous: { ...owner, token: '' }, owner, editor, viewer, stranger, exMember, admin, disabled, forged: forged(owner) };
  victim = await signUp(app, 'victim');
  // The micro-cache may still know the disabled person from the sign-in.
  await new Promise((resolve) => setTimeout(resolve, 2100));
});
afterAll(() => app.close());

const forged = (actor: Actor): Actor => ({ ...actor, token: `${actor.token.slice(0, -8)}AAAAAAAA` });

/** The form of a WebAuthn answer, for a registration and for a sign-in, with nothing genuine in it. */
function staleCredential() {
  const key = new Authenticator('https://nowhere.example');
  const challenge = randomBytes(32).toString('base64url');
  const created = key.create({ challenge, rp: { id: 'nowhere.example' }, user: { id: 'AA' } });
  return { created, used: key.get({ challenge, rpId: 'nowhere.example' }) };
}

/** Somebody else who may be erased. */
async function freshPerson(actor: ActorName): Promise<Actor> {
  if (actor === 'admin') return signUpAdministrator(app);
  const person = await signUp(app, actor.toLowerCase());
  if (actor === 'anonymous') return { ...person, token: '' };
  return actor === 'forged' ? forged(person) : actor === 'disabled' ? people.disabled : person;
}

/** The same person with another session, which may end. */
async function freshSession(actor: ActorName): Promise<Actor> {
  if (actor === 'anonymous' || actor === 'disabled') return people[actor];
  const person = { ...people[actor], ...(await signIn(app, people[actor])) };
  return actor === 'forged' ? forged(person) : person;
}

async function staleSession(actor: ActorName): Promise<Actor> {
  const person = await freshSession(actor);
  await app.sql(`UPDATE sessions SET authenticated_at = authenticated_at - interval '6 minutes' WHERE id = (SELECT max(id::text)::uuid FROM sessions WHERE user_id = $1)`, [person.userId]);
  return person;
}

/** A resource of the owner on which every actor has their standing, and a person with a share. */
async function context(): Promise<Context> {
  const { id, etag } = await createResource(app, people.owner);
  await shareWith(app, people.owner, id, people.editor, 'editor');
  await shareWith(app, people.owner, id, people.viewer, 'viewer');
  await shareWith(app, people.owner, id, people.exMember, 'editor');
  await unshare(app, people.owner, id, people.exMember);
  return { id, etag, someoneId: people.viewer.userId };
}

/** The status of a call by the actor, with everything in place that the route needs. */
async function call(name: string, actor: ActorName, method = routes[name]?.method ?? ''): Promise<number> {
  const { path, body, freshBody, fresh } = routes[name] as Route;
  const { token } = fresh === undefined ? people[actor] : await fresh(actor);
  const current = name.includes('/resources/') ? await context() : { id: '', etag: '', someoneId: people.viewer.userId };
  const payload = body ?? (await freshBody?.());
  const parts = { headers: { 'if-match': current.etag || '"1"' }, ...(token === '' ? {} : { token }), ...(payload === undefined ? {} : { body: payload }) };
  return (await app.request(method, path(current), parts)).status;
}

const row = (expected: readonly number[]) => Object.fromEntries(actors.map((actor, index) => [actor, expected[index]]));

async function seen(name: string, method?: string): Promise<Record<string, number>> {
  const statuses: Record<string, number> = {};
  for (const actor of actors) statuses[actor] = await call(name, actor, method);
  return statuses;
}

describe('the matrix of routes and actors [practice 2.3]', () => {
  for (const [name, { method, path, expected }] of Object.entries(routes)) {
    it(`${name}: each actor gets the right that the table gives, and no other`, async () => {
      expect(await seen(name)).toEqual(row(expected));
    });

    if (method === 'GET') {
      it(`${name} by HEAD: the same rights, no way around them [A4-6]`, async () => {
        expect(await seen(name, 'HEAD')).toEqual(row(expected));
      });
    }

    it(`${name}: a method that the path does not have is 405 for everybody, never a handler`, async () => {
      const target = path({ id: people.owner.userId, etag: '', someoneId: people.viewer.userId });
      for (const token of ['', people.owner.token, people.admin.token]) {
        const { status, headers } = await app.request('PROPFIND', target, token === '' ? {} : { token });
        expect([status, headers['allow']]).toEqual([405, expect.stringContaining(method)]);
      }
    });
  }

  it('the table knows every route of the router and has a row for it, so that a new one appears here [A9-1]', async () => {
    const { body: document } = await app.request('GET', '/openapi.json');
    const documented = Object.entries(document.paths as Record<string, object>).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`),
    );
    expect(documented.toSorted()).toEqual(Object.keys(routes).toSorted());
    for (const { expected } of Object.values(routes)) expect(expected).toHaveLength(actors.length);
  });
});
