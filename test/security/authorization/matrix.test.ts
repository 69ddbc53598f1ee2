import { readFileSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { isPermitted, type Permission } from '../../../src/common/permissions.js';
import { inventory } from '../../../src/inventory/index.js';
import { aligned } from '../../../src/inventory/print.js';
import { signUp } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { anotherAddress, type Answer } from '../../support/http.js';
import { neverIssued } from '../../support/resources.js';
import { internalNote, plantSecrets, storedSecrets } from '../../support/stored-secrets.js';
import { differences, readTable } from '../../support/tables.js';
import { actors, Cast, type ActorName } from './matrix.actors.js';
import { calls, pathOf } from './matrix.calls.js';

// Every route as every actor by every method, compared cell by cell with a file that one can read [API5] [ASVS 8.2.1]. A new or changed
// route appears in its review. `MATRIX=write vitest run test/security/authorization/matrix.test.ts` writes what is seen; read what changes.

const file = new URL('matrix.txt', import.meta.url);
const writing = process.env['MATRIX'] === 'write';
if (writing && process.env['CI']) throw new Error('MATRIX=write accepts whatever the service does: never in CI');

const routes = inventory();
const paths = [...new Set(routes.map(({ path }) => path))];
/** The methods that the router knows for the path: also those of another route that matches it, such as `/users/:id` for `/users/me`. */
const methodsOf = (path: string) => routes.find((route) => route.path === path)?.CORS.split(',')[0]?.split(' ') ?? [];
const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'PROPFIND'];

type Row = readonly [method: string, path: string, ...statuses: string[]];
const heading: Row = ['method', 'path', ...actors];

let app: TestApp;
let cast: Cast;
let planted: ReadonlyMap<string, string>;
/** All that was answered, each text once, and to whom. */
const answered = new Map<string, Set<ActorName>>();
/** A handshake for each of some thousand refusals would take most of the time. */
const agent = new Agent({ keepAlive: true });

beforeAll(async () => {
  app = await startApp();
  cast = await Cast.of(app);
  // A passkey is a second factor, so its holder is nobody who has to sign in again for the matrix.
  const holder = await signUp(app, 'holder');
  const id = await plantSecrets(app, { passkeyOf: holder.userId, noteOf: cast.people.owner.userId, sharedWith: cast.people.viewer.userId });
  planted = await storedSecrets(app);
  for (const path of ['/v1/auth/passkeys', '/v1/users/me/export']) heard('stranger', await app.request('GET', path, { token: holder.token }));
  for (const name of actors) heard(name, await app.request('GET', `/v1/resources/${id}`, name === 'anonymous' ? {} : { token: cast.people[name].token }));
});
beforeEach(() => cast?.renew());
afterAll(async () => {
  agent.destroy();
  await app.close();
});

/** The status of a call, with everything in place that the route needs. */
async function call(method: string, path: string, name: ActorName): Promise<string> {
  const known = calls[`${method === 'HEAD' ? 'GET' : method} ${path}`] ?? {};
  const { token } = await cast.actor(name, known.fresh);
  const stage = path.includes('/resources/:id') ? await cast.stage() : { id: '', etag: '"1"' };
  const body = known.body ?? (await known.bodyFor?.(cast));
  const parts = { headers: { 'if-match': stage.etag }, ...(token === '' ? {} : { token }), ...(body === undefined ? {} : { body }) };
  return String(heard(name, await app.request(method, (await known.path?.(cast)) ?? pathOf(path, cast, stage), parts)).status);
}

function heard(name: ActorName, answer: Answer): Answer {
  for (const text of [JSON.stringify(answer.headers), answer.text]) answered.set(text, (answered.get(text) ?? new Set()).add(name));
  return answer;
}

/** What no handler answers: one status for all of the methods, with `Allow` telling those that exist, or the cell says otherwise. */
async function refusal(tried: readonly string[], path: string, name: ActorName): Promise<string> {
  const allow = [...methodsOf(path), 'OPTIONS'].toSorted().join(', ');
  const target = pathOf(path, cast, { id: neverIssued, etag: '' });
  const { token } = cast.people[name];
  const from = anotherAddress();
  const cells = new Set<string>();
  for (const method of tried) {
    const { status, headers } = heard(name, await app.request(method, target, { from, agent, ...(token === '' ? {} : { token }) }));
    cells.add(`${status}${headers['allow'] === allow ? '' : '-without-Allow'}`);
  }
  return [...cells].join('/');
}

async function rowOf(method: string, path: string, see: (name: ActorName) => Promise<string>): Promise<Row> {
  const statuses: string[] = [];
  for (const name of actors) statuses.push(await see(name));
  return [method, path, ...statuses];
}

async function rowsOf(path: string): Promise<Row[]> {
  const own = methodsOf(path);
  const rows: Row[] = [];
  for (const method of own) rows.push(await rowOf(method, path, (name) => call(method, path, name)));
  rows.push(await rowOf('OPTIONS', path, (name) => refusal(['OPTIONS'], path, name)));
  rows.push(await rowOf('(others)', path, (name) => refusal(methods.filter((method) => !own.includes(method)), path, name)));
  return rows;
}

const committed = writing ? '' : readFileSync(file, 'utf8');

describe('the matrix of routes and actors [practice 2.3] [A5-1] [ASVS 8.2.1]', () => {
  const seen: Row[] = [];
  afterAll(() => {
    if (writing) writeFileSync(file, aligned([heading, ...seen]));
  });

  it('every route of the inventory has its call, and no other has', () => {
    expect(Object.keys(calls).toSorted()).toEqual(routes.map(({ method, path }) => `${method} ${path}`).toSorted());
  });

  it.each(paths)('%s: each actor gets by each method what the committed matrix says, and nothing else', async (path) => {
    const rows = await rowsOf(path);
    seen.push(...rows);
    const got = readTable(aligned([heading, ...rows]));
    const expected = new Map([...readTable(writing ? aligned([heading, ...rows]) : committed)].filter(([key]) => key.endsWith(` ${path}`)));
    expect(differences(expected, got)).toEqual([]);
  }, 180_000);

  it('the committed matrix speaks of routes that exist only', () => {
    expect([...readTable(committed).keys()].map((key) => key.split(' ')[1]).filter((path) => !paths.includes(path ?? ''))).toEqual([]);
  });

  it.each(paths)('%s by a method that nobody has heard of: 400, whoever sends it [A5-1]', async (path) => {
    for (const name of ['anonymous', 'owner', 'admin'] as const) {
      const { token } = cast.people[name];
      const { status } = await app.request('STEAL', pathOf(path, cast, { id: neverIssued, etag: '' }), token === '' ? {} : { token });
      expect([name, status]).toEqual([name, 400]);
    }
  });
});

// After the calls above: no route, role, method, refusal or export tells what only the database holds.
describe('what the database holds of hashes, seeds, keys, digests and sealed cells [A3-3] [ASVS 15.3.1] [ASVS 14.2.6]', () => {
  const kinds = [
    'password_credentials.hash', 'totp_authenticators.secret', 'recovery_codes.hash', 'passkeys.public_key', 'signing_keys.private_jwk', 'resources.note',
    'sessions.authority_mac', 'audit_events.mac', 'users.email_index', 'data_keys.wrapped',
    'PasswordCredential.hash, opened', 'TotpAuthenticator.secret, opened', 'RecoveryCode.hash, opened', 'Passkey.publicKey, opened', 'SigningKey.privateJwk, opened',
  ];

  it('was answered to nobody, and is in no line of the log', () => {
    expect(kinds.filter((kind) => ![...planted.values()].includes(kind))).toEqual([]);
    const places = [['the answers', [...answered.keys()].join('\n')], ['the log', app.logText()]] as const;
    // The beginning of a cell stands for all that the calls themselves have sealed since.
    const secrets = [...planted, ['enc:v1:', 'a sealed cell'] as const];
    expect(places.flatMap(([place, text]) => secrets.flatMap(([secret, where]) => (text.includes(secret) ? [`${place}: ${where}`] : [])))).toEqual([]);
  }, 60_000);

  it('the internal note was answered to its owner alone, who got it', () => {
    const got = [...answered].flatMap(([text, names]) => (text.includes(internalNote) ? [...names] : []));
    expect([...new Set(got)]).toEqual(['owner']);
    expect(app.logText()).not.toContain(internalNote);
  });
});

// Whoever accepts a new matrix without reading it is stopped by what the declarations say.
describe.skipIf(writing)('no cell of the committed matrix is wider than what the handlers declare [A5-1] [ASVS 8.2.1]', () => {
  const matrix = readTable(committed);
  const cellOf = (method: string, path: string, actor: ActorName) => matrix.get(`${method} ${path}`)?.[actor];
  const guarded = routes.filter(({ access }) => access !== 'public');

  it('a credential that is not valid opens nothing, not even what is public: 401', () => {
    for (const { method, path } of routes) {
      for (const actor of ['expired', 'disabled', 'forged'] as const) expect([method, path, actor, cellOf(method, path, actor)]).toEqual([method, path, actor, '401']);
    }
  });

  it('without a credential nothing is open but what is public: 401', () => {
    for (const { method, path } of guarded) expect([method, path, cellOf(method, path, 'anonymous')]).toEqual([method, path, '401']);
  });

  it('the password alone opens nothing but the second factor: 401', () => {
    for (const row of guarded.filter((route) => route['before 2nd factor'] !== 'any')) {
      expect([row.method, row.path, cellOf(row.method, row.path, 'preFactor')]).toEqual([row.method, row.path, '401']);
    }
  });

  it('what only administrators hold is closed to everybody else: 403', () => {
    const theirs = guarded.filter(({ access }) => !isPermitted(['user'], access as Permission));
    expect(theirs.length).toBeGreaterThan(0);
    for (const { method, path } of theirs) {
      for (const actor of ['owner', 'editor', 'viewer', 'stranger', 'exMember'] as const) expect([method, path, actor, cellOf(method, path, actor)]).toEqual([method, path, actor, '403']);
    }
  });

  it('what a policy decides is closed to strangers, former members and administrators alike, wherever the path names an object', () => {
    const theirs = guarded.filter(({ objects, path }) => objects.includes('Policy.') && path.includes(':'));
    expect(theirs.length).toBeGreaterThan(0);
    for (const { method, path } of theirs) {
      for (const actor of ['stranger', 'exMember', 'admin'] as const) expect([method, path, actor, cellOf(method, path, actor)]).toEqual([method, path, actor, '404']);
    }
  });

  it('HEAD has the rights of GET, and no way around them [A4-6]', () => {
    for (const { path } of routes.filter(({ method }) => method === 'GET')) {
      for (const actor of actors) expect([path, actor, cellOf('HEAD', path, actor)]).toEqual([path, actor, cellOf('GET', path, actor)]);
    }
  });

  it('a method that the path does not have is 405 for everybody, and never a handler', () => {
    for (const path of paths) for (const actor of actors) expect([path, actor, cellOf('(others)', path, actor)]).toEqual([path, actor, '405']);
  });
});
