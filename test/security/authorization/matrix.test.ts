import { writeFileSync } from 'node:fs';
import { Agent } from 'node:https';
import type { Type } from '@nestjs/common';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { permissions, user } from '../../../src/common/access/permissions.js';
import { aligned } from '../../../src/common/aligned.js';
import { SecurityEvents } from '../../../src/common/events/security-events.js';
import { requestContext } from '../../../src/common/http/request-context.js';
import { signUp } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { leaveEveryTrace } from '../../support/every-trace.js';
import { anotherAddress, neverIssued, type Answer } from '../../support/http.js';
import { inventoryWithSamples } from '../../support/inventory.js';
import { SamplesModule } from '../../support/sample/samples.module.js';
import { createSample, shareSample } from '../../support/sample/samples.js';
import { secretKinds, storedSecrets } from '../../support/stored-secrets.js';
import { differences, readTable } from '../../support/tables.js';
// With: webhooks.
import { SampleWebhooksModule } from '../../webhooks/sample-webhooks.js';
// With: webhooks.
import { webhookEnv } from '../../webhooks/webhooks.js';
import { actors, Cast, type ActorName } from './matrix.actors.js';
import { callOf, isWriting, parts, pathOf, renewal, type CommittedPart } from './matrix.parts.js';

// Every route as every actor by each of its methods, compared cell by cell with files that one can read, one per
// feature [API5] [ASVS 8.2.1]. A new or changed route appears in its review.

const further: readonly Type[] = [
  // With: webhooks.
  SampleWebhooksModule,
];
const routes = inventoryWithSamples(...further);
const paths = [...new Set(routes.map(({ path }) => path))];
/**
 * The methods that the router knows for the path: also those of another route that matches it, such as `/users/:id` for
 * `/users/me`.
 */
const methodsOf = (path: string) =>
  routes
    .find((route) => route.path === path)
    ?.CORS.split(',')[0]
    ?.split(' ') ?? [];
const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'PROPFIND'];

type Row = readonly [method: string, path: string, ...statuses: string[]];
const heading: Row = ['method', 'path', ...actors];

let app: TestApp;
let cast: Cast;
let planted: ReadonlyMap<string, string>;
/** All that was answered, each text once, and to whom. */
const answered = new Map<string, Set<ActorName>>();
/** What was reported of each refused request, by its id. */
const reported = new Map<string, string[]>();
/** Calls that were refused without a word to whoever watches. */
const silent: string[] = [];
/** A handshake for each refusal of a method would take most of the time. */
const agent = new Agent({ keepAlive: true });

const internalNote = 'canary-internal-note-40417';

beforeAll(async () => {
  app = await startApp({
    modules: [SamplesModule, ...further],
    // With: webhooks.
    env: webhookEnv,
  });
  for (const { service } of app.instances)
    service.app.get(SecurityEvents, { strict: false }).observe(({ action, outcome }) => {
      const id = requestContext()?.requestId;
      if (id === undefined || outcome === 'success') return;
      reported.set(id, [...(reported.get(id) ?? []), action]);
    });
  cast = await Cast.of(app);
  const holder = await signUp(app, 'holder');
  await leaveEveryTrace(app, holder);
  const { id } = await createSample(app, cast.people.owner, { note: internalNote });
  await shareSample(app, id, cast.people.viewer);
  planted = await storedSecrets(app);
  for (const { method, path } of routes) {
    if (method !== 'GET' || path.includes(':')) continue;
    heard('stranger', await app.request('GET', path, { token: holder.token }));
  }
  for (const name of actors) {
    const { token } = cast.people[name];
    heard(name, await app.request('GET', `/v1/samples/${id}`, token === '' ? {} : { token }));
  }
});
beforeEach(() => cast?.renew());
afterAll(async () => {
  agent.destroy();
  await app.close();
});

/** The status of a call, with everything in place that the route needs. */
async function call(method: string, path: string, name: ActorName): Promise<string> {
  const known = callOf(method, path) ?? {};
  const { token } = await cast.actor(name, known.fresh);
  const stage = await known.on?.(cast);
  const body = known.body ?? (await known.bodyFor?.(cast));
  const parts = {
    headers: { 'if-match': stage?.etag ?? '"1"' },
    ...(token === '' ? {} : { token }),
    ...(body === undefined ? {} : { body }),
  };
  const { status, headers } = heard(name, await app.request(method, pathOf(path, cast, stage?.id), parts));
  const events = reported.get(headers['x-request-id'] ?? '') ?? [];
  if (isRefusal(status) && events.length === 0) silent.push(`${method} ${path} ${name}: ${status}`);
  return String(status);
}

const isRefusal = (status: number) => status === 401 || status === 403;

function heard(name: ActorName, answer: Answer): Answer {
  for (const text of [JSON.stringify(answer.headers), answer.text])
    answered.set(text, (answered.get(text) ?? new Set()).add(name));
  return answer;
}

async function rowOf(method: string, path: string, see: (name: ActorName) => Promise<string>): Promise<Row> {
  const statuses: string[] = [];
  for (const name of actors) statuses.push(await see(name));
  return [method, path, ...statuses];
}

/** Of a path that several features share, each has the rows of its own methods. */
async function rowsOf({ calls }: CommittedPart, path: string): Promise<Row[]> {
  const own = methodsOf(path);
  const ofOthers = own.filter((method) => callOf(method, path) !== undefined && !isAmong(calls, method, path));
  const rows: Row[] = [];
  for (const method of own.filter((one) => !ofOthers.includes(one)))
    rows.push(await rowOf(method, path, (name) => call(method, path, name)));
  return rows;
}

const isAmong = (calls: CommittedPart['calls'], method: string, path: string) =>
  `${method === 'HEAD' ? 'GET' : method} ${path}` in calls;
const pathsOf = ({ calls }: CommittedPart) =>
  [...new Set(Object.keys(calls).map((route) => route.split(' ')[1] ?? ''))].toSorted();

describe('the matrix of routes and actors [practice 2.3] [A5-1] [ASVS 8.2.1]', () => {
  it('every route of the inventory has its call: else write it into matrix.ts beside the tests of the feature', () => {
    const called = parts.flatMap(({ calls }) => Object.keys(calls));
    expect(called.toSorted()).toEqual(routes.map(({ method, path }) => `${method} ${path}`).toSorted());
  });

  it.each(paths)(
    '%s by a method without a handler: 405 with those that have one; by an unheard-of one: 400 [A5-1]',
    async (path) => {
      const own = methodsOf(path);
      const allow = [...own, 'OPTIONS'].toSorted().join(', ');
      for (const name of ['anonymous', 'owner', 'admin', 'machine', 'forged'] as const) {
        const { token } = cast.people[name];
        const parts = { from: anotherAddress(), agent, ...(token === '' ? {} : { token }) };
        for (const method of methods.filter((one) => !own.includes(one))) {
          const { status, headers } = heard(name, await app.request(method, pathOf(path, cast, neverIssued), parts));
          expect([name, method, status, headers['allow']]).toEqual([name, method, 405, allow]);
        }
        // With: headers.
        expect([name, (await app.request('OPTIONS', pathOf(path, cast, neverIssued), parts)).status]).toEqual([
          name,
          204,
        ]);
        expect([name, (await app.request('STEAL', pathOf(path, cast, neverIssued), parts)).status]).toEqual([
          name,
          400,
        ]);
      }
    },
  );
});

describe.each(parts)('the part of the matrix in $folder [practice 2.3] [A5-1] [ASVS 8.2.1]', (part) => {
  const seen: Row[] = [];
  afterAll(() => {
    if (isWriting && seen.length > 0) writeFileSync(part.file, aligned([heading, ...seen]));
  });

  it.each(pathsOf(part))(
    '%s: each actor gets by each of its methods what the committed matrix says, and nothing else',
    async (path) => {
      const rows = await rowsOf(part, path);
      seen.push(...rows);
      // Figures, trail and detection hear of each refusal, with the id of its request [ASVS 16.3.2].
      expect(silent.splice(0)).toEqual([]);
      if (isWriting) return expect(rows).not.toEqual([]);
      const expected = new Map([...part.table].filter(([key]) => key.endsWith(` ${path}`)));
      expect(differences(expected, readTable(aligned([heading, ...rows]))), renewal).toEqual([]);
    },
    180_000,
  );

  it('speaks of routes of the feature alone', () => {
    const written = [...part.table.keys()].map((key) => key.split(' ')[1]);
    expect(
      written.filter((path = '') => !pathsOf(part).includes(path)),
      renewal,
    ).toEqual([]);
  });
});

// After the calls above: no route, role, method, refusal or export tells what only the database holds.
describe('secrets of the database: hashes, seeds, keys, cells [A3-3] [ASVS 15.3.1] [ASVS 14.2.6]', () => {
  it('was answered to nobody, and is in no line of the log', () => {
    const kinds = [...planted.values()];
    expect(
      secretKinds.filter((kind) => !kinds.includes(kind)),
      'no secret of that kind was there: let traces.ts beside the tests of its feature leave one',
    ).toEqual([]);
    const places = [
      ['the answers', [...answered.keys()].join('\n')],
      ['the log', app.logText()],
    ] as const;
    // The beginning of a cell stands for all that the calls themselves have sealed since.
    const secrets = [...planted, ['enc:v1:', 'a sealed cell'] as const];
    expect(
      places.flatMap(([place, text]) =>
        secrets.flatMap(([secret, where]) => (text.includes(secret) ? [`${place}: ${where}`] : [])),
      ),
    ).toEqual([]);
  }, 60_000);

  it('the internal note was answered to its owner alone, and to the machine that acts for them', () => {
    const got = [...answered].flatMap(([text, names]) => (text.includes(internalNote) ? [...names] : []));
    expect([...new Set(got)].toSorted()).toEqual(['machine', 'owner']);
    expect(app.logText()).not.toContain(internalNote);
  });
});

// Whoever accepts a new matrix without reading it is stopped by what the declarations say.
describe.skipIf(isWriting)(
  'no cell of the committed matrix is wider than what the handlers declare [A5-1] [ASVS 8.2.1]',
  { meta: { because: 'the matrix is being written' } },
  () => {
    const matrix = new Map(parts.flatMap(({ table }) => [...table]));
    const cellOf = (method: string, path: string, actor: ActorName) => matrix.get(`${method} ${path}`)?.[actor];
    const isSigned = ({ access }: (typeof routes)[number]) => access.startsWith('signed by ');
    const signed = routes.filter(isSigned);
    const others = routes.filter((route) => !isSigned(route));
    const guarded = others.filter(({ access }) => access !== 'public');

    it('what a sender outside signs is closed to everybody who does not, whatever their credential: 403', () => {
      const open = signed.flatMap(({ method, path }) =>
        actors.flatMap((actor) => (cellOf(method, path, actor) === '403' ? [] : `${method} ${path} ${actor}`)),
      );
      expect(open).toEqual([]);
    });

    it('a credential that is not valid opens nothing, not even what is public: 401', () => {
      for (const { method, path } of others) {
        for (const actor of ['expired', 'disabled', 'forged'] as const)
          expect([method, path, actor, cellOf(method, path, actor)]).toEqual([method, path, actor, '401']);
      }
    });

    it('without a credential nothing is open but what is public: 401', () => {
      for (const { method, path } of guarded)
        expect([method, path, cellOf(method, path, 'anonymous')]).toEqual([method, path, '401']);
    });

    it('the password alone opens nothing but the second factor: 401', () => {
      for (const row of guarded.filter((route) => route['before 2nd factor'] !== 'any')) {
        expect([row.method, row.path, cellOf(row.method, row.path, 'preFactor')]).toEqual([
          row.method,
          row.path,
          '401',
        ]);
      }
    });

    it('a machine gets to nothing but what says that machines may [A2-8]', () => {
      const theirs = guarded.filter(({ callers }) => callers.includes('machines'));
      expect(theirs.length).toBeGreaterThan(0);
      for (const row of guarded) {
        const cell = cellOf(row.method, row.path, 'machine');
        if (theirs.includes(row)) expect([row.method, row.path, cell]).not.toEqual([row.method, row.path, '403']);
        else expect([row.method, row.path, cell]).toEqual([row.method, row.path, '403']);
      }
    });

    it('what only administrators hold is closed to everybody else: 403', () => {
      const heldByUsers = new Set(
        permissions()
          .filter(({ roles }) => roles.includes(user))
          .map(({ name }) => name),
      );
      const theirs = guarded.filter(({ access }) => !heldByUsers.has(access));
      expect(theirs.length).toBeGreaterThan(0);
      for (const { method, path } of theirs) {
        for (const actor of ['owner', 'editor', 'viewer', 'stranger', 'exMember'] as const)
          expect([method, path, actor, cellOf(method, path, actor)]).toEqual([method, path, actor, '403']);
      }
    });

    it('what a policy decides is closed to strangers, former members and administrators alike', () => {
      const theirs = guarded.filter(({ objects, path }) => objects.includes('Policy.') && path.includes(':'));
      expect(theirs.length).toBeGreaterThan(0);
      for (const { method, path } of theirs) {
        for (const actor of ['stranger', 'exMember', 'admin'] as const)
          expect([method, path, actor, cellOf(method, path, actor)]).toEqual([method, path, actor, '404']);
      }
    });

    it('HEAD has the rights of GET, and no way around them [A4-6]', () => {
      for (const { path } of routes.filter(({ method }) => method === 'GET')) {
        for (const actor of actors)
          expect([path, actor, cellOf('HEAD', path, actor)]).toEqual([path, actor, cellOf('GET', path, actor)]);
      }
    });
  },
);
