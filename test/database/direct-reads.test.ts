import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Database } from '../../src/database/index.js';
import { statementOf } from '../../src/database/direct-reads.js';
import { fieldMap } from '../../src/generated/field-encryption/index.js';
import { signUp, type Actor } from '../support/actors.js';
import { startApp, type TestApp } from '../support/app.js';

// What is read past Prisma is what Prisma reads: in a transaction every call goes through Prisma.

let app: TestApp;
let database: Database;
let alice: Actor;
let bob: Actor;

beforeAll(async () => {
  app = await startApp({ instances: 1 });
  database = app.on(0).service.app.get(Database, { strict: false });
  alice = await signUp(app, 'alice');
  bob = await signUp(app, 'bob');
});
afterAll(() => app.close());

type Read = Record<'findUnique' | 'findFirst' | 'findMany', (args: object) => Promise<unknown>>;
const ask = (model: string, operation: string, args: object): Promise<unknown> => {
  const client = database.client as unknown as Record<string, Read>;
  return client[model.charAt(0).toLowerCase() + model.slice(1)]![operation as keyof Read](structuredClone(args));
};
const both = async (model: string, operation: string, args: object) => [
  await ask(model, operation, args),
  await database.transaction(() => ask(model, operation, args)),
];

type Case = [what: string, model: string, operation: string, args: () => Record<string, unknown>];
const long = new Date('2000-01-01');

const plain: Case[] = [
  ['a row by its id', 'User', 'findUnique', () => ({ where: { id: alice.userId } })],
  ['no row', 'User', 'findUnique', () => ({ where: { id: '00000000-0000-7000-8000-000000000000' } })],
  ['some fields', 'User', 'findUnique', () => ({ where: { id: bob.userId }, select: { email: true, roles: true } })],
  ['by a blind index', 'User', 'findFirst', () => ({ where: { email: alice.email }, select: { name: true } })],
  ['all', 'User', 'findMany', () => ({ orderBy: { id: 'asc' } })],
  ['a first page', 'User', 'findMany', () => ({ where: { id: undefined }, orderBy: { id: 'desc' }, take: 1 })],
  [
    'the next page',
    'User',
    'findMany',
    () => ({ where: { id: { gt: alice.userId } }, orderBy: [{ id: 'asc' }], take: 5 }),
  ],
  ['none of a page', 'User', 'findMany', () => ({ orderBy: { id: 'asc' }, take: 0 })],
  ['of a list of ids', 'User', 'findMany', () => ({ where: { id: { in: [bob.userId] } }, select: { id: true } })],
  ['of an empty list', 'User', 'findMany', () => ({ where: { id: { in: [] } }, select: { id: true } })],
  [
    'by times',
    'User',
    'findMany',
    () => ({ where: { createdAt: { gt: long, lte: new Date() } }, orderBy: { id: 'asc' } }),
  ],
  ['what is null', 'User', 'findMany', () => ({ where: { phone: null }, orderBy: { id: 'asc' } })],
  ['what is not null', 'User', 'findMany', () => ({ where: { emailIndex: { not: null } }, orderBy: { id: 'asc' } })],
  [
    'by a relation',
    'User',
    'findMany',
    () => ({ where: { sessions: { some: { userId: bob.userId, endedAt: null } } } }),
  ],
  [
    'by any of several rules, as policies are',
    'User',
    'findMany',
    () => ({ where: { version: 1, AND: { OR: [{ id: bob.userId }, { status: 'locked' }] } }, orderBy: { id: 'asc' } }),
  ],
  [
    'with rows of a relation, and what is sealed in them',
    'User',
    'findMany',
    () => ({
      select: { id: true, sessions: { where: { endedAt: null }, select: { device: true, inBrowser: true } } },
      orderBy: { id: 'asc' },
    }),
  ],
  ['by both of a list', 'User', 'findMany', () => ({ where: { AND: [{ id: bob.userId }, { id: alice.userId }] } })],
];

describe('plain reads are done past Prisma, with the same result [practice 7.1] [ASVS 15.2.2]', () => {
  it.each(plain)('%s', async (_, model, operation, args) => {
    expect(statementOf(fieldMap, model, operation, args())).toBeDefined();
    const [direct, throughPrisma] = await both(model, operation, args());
    expect(direct).toEqual(throughPrisma);
  });

  it('a policy that matches nobody: no row, whatever else is asked', async () => {
    const where = {
      id: alice.userId,
      AND: { OR: [{ status: 'locked' }, { sessions: { some: { userId: bob.userId } } }] },
    };
    expect(statementOf(fieldMap, 'User', 'findFirst', { where })).toBeDefined();
    expect(await both('User', 'findFirst', { where })).toEqual([null, null]);
  });

  it('a value that would end its text and go on as SQL is a parameter [ASVS 1.2.4]', () => {
    const attack = `x' OR '1'='1`;
    const statement = statementOf(fieldMap, 'User', 'findMany', { where: { status: attack } });
    expect(statement?.text).not.toContain('OR');
    expect(statement?.values).toEqual([attack]);
  });
});

const left: [what: string, operation: string, args: object][] = [
  ['a row by everything', 'findUnique', { where: {} }],
  ['a row without a where', 'findUnique', {}],
  ['a row by what is no key', 'findUnique', { where: { status: 'active' } }],
  ['a row by an operator that a client sent for its id', 'findUnique', { where: { id: { gt: 'a' } } }],
  ['a row by any id', 'findUnique', { where: { id: { not: null } } }],
  ['a row in an order', 'findUnique', { where: { id: 'a' }, orderBy: { id: 'asc' } }],
  ['a row of so many', 'findFirst', { orderBy: { id: 'asc' }, take: -1 }],
  ['a page in no order', 'findMany', { take: 5 }],
  ['a page in an empty order', 'findMany', { orderBy: [], take: 5 }],
  ['null for what is never null', 'findMany', { where: { id: null } }],
  ['not null for it', 'findMany', { where: { id: { not: null } } }],
  ['null for a list', 'findMany', { where: { roles: null } }],
  ['a list that is not null', 'findMany', { where: { roles: { not: null } } }],
  ['an alternative in no list', 'findMany', { where: { OR: { id: 'a' } } }],
  ['a hole among alternatives', 'findMany', { where: { OR: Array<object>(1) } }],
  ['a hole in an order', 'findMany', { orderBy: Array<object>(1) }],
  ['a time that is none', 'findMany', { where: { createdAt: new Date(Number.NaN) } }],
  ['a condition that is undefined where a row is asked for', 'findUnique', { where: { id: undefined } }],
  ['one that is undefined deeper', 'findFirst', { where: { id: 'a', AND: { status: undefined } } }],
  ['an operand that is undefined', 'findMany', { where: { id: { gt: undefined } } }],
  ['an alternative that is empty', 'findMany', { where: { OR: [{}, { id: 'a' }] } }],
  ['no alternatives', 'findMany', { where: { OR: [] } }],
  ['a negation', 'findMany', { where: { NOT: { id: 'a' } } }],
  ['an operator that is not known here', 'findMany', { where: { status: { contains: 'a' } } }],
  ['a name of every object', 'findMany', { where: { constructor: 'a' } }],
  ['an operator with such a name', 'findMany', { where: { status: { constructor: 'a' } } }],
  ['a value of another type', 'findMany', { where: { version: '1' } }],
  ['null in a list', 'findMany', { where: { id: { in: [null] } } }],
  ['another quantity of a relation', 'findMany', { where: { sessions: { none: { endedAt: null } } } }],
  ['a relation among the fields', 'findMany', { select: { sessions: true } }],
  ['a time in a relation', 'findMany', { select: { sessions: { where: { id: 'a' }, select: { createdAt: true } } } }],
  [
    'rows of a relation in an order',
    'findMany',
    { select: { sessions: { where: { id: 'a' }, orderBy: { id: 'asc' } } } },
  ],
  ['all rows of a relation', 'findMany', { select: { sessions: { where: {}, select: { id: true } } } }],
  ['a field that is not there', 'findMany', { select: { secret: true } }],
  ['no field at all', 'findMany', { select: { id: false } }],
  ['a field left out', 'findMany', { omit: { email: true } }],
  ['an order by a relation', 'findMany', { orderBy: { password: { userId: 'asc' } } }],
  ['an order of two at once', 'findMany', { orderBy: { id: 'asc', status: 'asc' } }],
  ['the end of a list', 'findMany', { take: -1 }],
  ['a part of a page', 'findMany', { take: 1, skip: 1 }],
  ['a write', 'delete', { where: { id: 'a' } }],
  ['a read that throws', 'findUniqueOrThrow', { where: { id: 'a' } }],
];

describe('whatever is not plain is left to Prisma, to read or to refuse', () => {
  it.each(left)('%s', (_, operation, args) => {
    expect(statementOf(fieldMap, 'User', operation, args as Record<string, unknown>)).toBeUndefined();
  });

  it('a model that the map does not know', () => {
    expect(statementOf(fieldMap, 'constructor', 'findMany', {})).toBeUndefined();
  });
});
