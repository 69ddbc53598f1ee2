import { randomUUIDv7 } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Principal } from '../../src/common/access/principal.js';
import { Database } from '../../src/database/index.js';
import { resourcePolicy, resourceRelations, type ResourceFacts } from '../../src/resources/resource.policy.js';
import type { UpdateResource } from '../../src/resources/resources.dto.js';
import { signUp } from '../support/actors.js';
import { startApp, type TestApp } from '../support/app.js';

const people = Array.from({ length: 4 }, () => randomUUIDv7());
const { update, ...others } = resourcePolicy;
const policies = Object.entries({
  ...others,
  ...resourceRelations,
  'update of the text': update({ title: 'x' }),
  'update of the visibility': update({ visibility: 'public' }),
});

let app: TestApp;
let database: Database;

beforeAll(async () => {
  app = await startApp({ instances: 1 });
  database = app.on(0).service.app.get(Database, { strict: false });
  const { userId } = await signUp(app, 'somebody');
  await app.sql('INSERT INTO users (id, email, name) SELECT unnest($2::uuid[]), email, name FROM users WHERE id = $1', [
    userId,
    people,
  ]);
});
afterAll(() => app.close());

interface Generated extends ResourceFacts {
  readonly id: string;
}

const person = fc.constantFrom(...people);
const share = fc.record({ userId: person, role: fc.constantFrom('viewer', 'editor') });
const resources: fc.Arbitrary<Generated[]> = fc.array(
  fc.record({
    id: fc.constant(null).map(() => randomUUIDv7()),
    ownerId: person,
    visibility: fc.constantFrom('private', 'public'),
    shares: fc.uniqueArray(share, { maxLength: people.length, selector: ({ userId }) => userId }),
  }),
  { maxLength: 12 },
);

describe('resource policies: what a statement touches is what the rule says [practice 2.4] [ASVS 8.2.2]', () => {
  it('no policy gives anybody a row by its scope() that can() refuses, nor withholds one', async () => {
    await fc.assert(
      fc.asyncProperty(resources, async (generated) => {
        await store(generated);
        for (const principal of people.map(principalOf)) {
          for (const [name, policy] of policies) {
            const found = await database.client.resource.findMany({
              where: policy.scope(principal),
              select: { id: true },
            });
            const allowed = generated.filter((resource) => policy.can(principal, resource));
            expect([name, found.map(({ id }) => id).toSorted()]).toEqual([
              name,
              allowed.map(({ id }) => id).toSorted(),
            ]);
          }
        }
      }),
      { numRuns: 25 },
    );
  });

  it('whoever may change, delete or share may read', async () => {
    await fc.assert(
      fc.asyncProperty(resources, person, async (generated, userId) => {
        for (const resource of generated) {
          const acts = policies.some(
            ([name, policy]) => /update|delete|share/.test(name) && policy.can(principalOf(userId), resource),
          );
          expect(!acts || others.read.can(principalOf(userId), resource)).toBe(true);
        }
      }),
    );
  });
});

describe('fields that not everybody may write [API3] [ASVS 8.2.3]', () => {
  const [owner = '', editor = '', viewer = '', stranger = ''] = people;
  const shares = [
    { userId: editor, role: 'editor' },
    { userId: viewer, role: 'viewer' },
  ];
  const whoMay = (changes: UpdateResource) =>
    Object.entries({ owner, editor, viewer, stranger })
      .filter(([, userId]) =>
        update(changes).can(principalOf(userId), { ownerId: owner, visibility: 'public', shares }),
      )
      .map(([name]) => name);

  it.each<[UpdateResource, string[]]>([
    [{}, ['owner', 'editor']],
    [{ title: 'x', body: 'x', note: null }, ['owner', 'editor']],
    [{ visibility: 'public' }, ['owner']],
    [{ title: 'x', visibility: 'private' }, ['owner']],
  ])('%j: only for %j', (changes, allowed) => expect(whoMay(changes)).toEqual(allowed));

  it.each(['addedTomorrow', 'ownerId', '__proto__', 'constructor'])(
    'a field that the policy does not name (%s): for the owner alone, until somebody opens it',
    (field) => {
      const changes = JSON.parse(`{"title":"x","${field}":"x"}`) as UpdateResource;
      expect(whoMay(changes)).toEqual(['owner']);
    },
  );

  it('without the changes there is no policy, so that no statement can forget to ask for them', () => {
    // @ts-expect-error a function of the changes has no scope
    expect(resourcePolicy.update.scope).toBeUndefined();
  });
});

const principalOf = (userId: string) => ({ userId }) as Principal;

async function store(generated: readonly Generated[]): Promise<void> {
  const { resource, resourceShare } = database.client;
  await resource.deleteMany();
  await resource.createMany({
    data: generated.map(({ id, ownerId, visibility }) => ({ id, ownerId, visibility, title: 'Any', body: '' })),
  });
  await resourceShare.createMany({
    data: generated.flatMap(({ id, shares }) => shares.map((one) => ({ resourceId: id, ...one }))),
  });
}
