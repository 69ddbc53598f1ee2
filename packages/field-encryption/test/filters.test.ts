import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { person, Vault, type TestClient } from './support/vault.js';

type Where = object;

let vault: Vault;
let db: TestClient;
const people = ['ann', 'bea', 'cem'].map(person);
const [ann, bea, cem] = people as [(typeof people)[0], (typeof people)[0], (typeof people)[0]];
const find = async (where: Where) =>
  (await db.user.findMany({ where })).map(({ email }) => email.slice(0, 3)).toSorted();

beforeAll(async () => {
  vault = await Vault.open();
  db = vault.connect();
  for (const data of people) await db.user.create({ data });
  await db.user.update({ where: { id: cem.id }, data: { phone: null, status: 'disabled' } });
  await db.document.create({ data: { ownerId: ann.id, title: 'T', body: 'B', note: 'n' } });
});
afterAll(() => vault.close());

/** A filter, and the same rule in plain JavaScript. */
interface Rule {
  readonly where: Where;
  readonly holds: (email: string, status: string) => boolean;
}
const emails = fc.constantFrom(ann.email, bea.email, cem.email, 'nobody@example.org');
const leaf: fc.Arbitrary<Rule> = fc.oneof(
  emails.map((email): Rule => ({ where: { email }, holds: (found) => found === email })),
  emails.map((email): Rule => ({ where: { email: { equals: email } }, holds: (found) => found === email })),
  emails.map((email): Rule => ({ where: { email: { not: email } }, holds: (found) => found !== email })),
  emails.map((email): Rule => ({ where: { email: { not: { equals: email } } }, holds: (found) => found !== email })),
  fc
    .array(emails, { maxLength: 3 })
    .map((list): Rule => ({ where: { email: { in: list } }, holds: (found) => list.includes(found) })),
  fc
    .array(emails, { maxLength: 3 })
    .map((list): Rule => ({ where: { email: { notIn: list } }, holds: (found) => !list.includes(found) })),
  fc.tuple(emails, emails).map(([one, other]): Rule => ({
    where: { email: { in: [one, other], not: one } },
    holds: (found) => [one, other].includes(found) && found !== one,
  })),
  fc
    .constantFrom('active', 'disabled')
    .map((status): Rule => ({ where: { status }, holds: (_, found) => found === status })),
);
const { rule } = fc.letrec<{ rule: Rule }>((tie) => ({
  rule: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    leaf,
    fc.array(tie('rule'), { minLength: 1, maxLength: 3 }).map((rules): Rule => ({
      where: { AND: rules.map(({ where }) => where) },
      holds: (...row) => rules.every(({ holds }) => holds(...row)),
    })),
    fc.array(tie('rule'), { minLength: 1, maxLength: 3 }).map((rules): Rule => ({
      where: { OR: rules.map(({ where }) => where) },
      holds: (...row) => rules.some(({ holds }) => holds(...row)),
    })),
    tie('rule').map((inner): Rule => ({ where: { NOT: inner.where }, holds: (...row) => !inner.holds(...row) })),
    fc.tuple(leaf, tie('rule')).map(([one, other]): Rule => ({
      where: { ...one.where, AND: other.where },
      holds: (...row) => one.holds(...row) && other.holds(...row),
    })),
  ),
}));

describe('filters on an encrypted field [practice 7.3]', () => {
  it('finds the rows that the same rule finds in plaintext, however it is put together', async () => {
    await fc.assert(
      fc.asyncProperty(rule, async ({ where, holds }) => {
        const wanted = people
          .filter((one) => holds(one.email, one === cem ? 'disabled' : 'active'))
          .map(({ email }) => email.slice(0, 3));
        expect(await find(where)).toEqual(wanted);
      }),
      { numRuns: 150 },
    );
  });

  const cases: readonly (readonly [string, Where, readonly string[]])[] = [
    ['null', { phone: null }, ['cem']],
    ['equals null', { phone: { equals: null } }, ['cem']],
    ['not null', { phone: { not: null } }, ['ann', 'bea']],
    ['not not null', { NOT: { phone: { not: null } } }, ['cem']],
    ['some', { documents: { some: { owner: { email: ann.email } } } }, ['ann']],
    ['none', { documents: { none: { owner: { is: { email: ann.email } } } } }, ['bea', 'cem']],
    ['every', { documents: { every: { owner: { isNot: { email: ann.email } } } } }, ['bea', 'cem']],
    ['case matters: values are normalised before they are sealed', { email: ann.email.toUpperCase() }, []],
    ['an empty text', { email: '' }, []],
  ];
  it.each(cases)('%s', async (_, where, expected) => {
    expect(await find(where)).toEqual(expected);
  });

  it('filters in update, delete, count and nested selections too', async () => {
    expect(await db.user.updateMany({ where: { email: bea.email }, data: { version: 2 } })).toEqual({ count: 1 });
    expect(await db.user.count({ where: { email: { in: [ann.email, bea.email] } } })).toBe(2);
    const owners = await db.user.findMany({
      where: { id: ann.id },
      select: { documents: { where: { owner: { email: bea.email } } } },
    });
    expect(owners).toEqual([{ documents: [] }]);
  });

  const refused: readonly (readonly [string, Where])[] = [
    ['contains', { email: { contains: 'ann' } }],
    ['startsWith', { email: { startsWith: 'ann' } }],
    ['gt', { email: { gt: 'a' } }],
    ['mode', { email: { equals: ann.email, mode: 'insensitive' } }],
    ['a field without an index', { name: ann.name }],
    ['a field without an index, deep inside', { AND: [{ OR: [{ NOT: { name: { in: ['x'] } } }] }] }],
    ['a relation', { documents: { some: { note: { contains: 'x' } } } }],
    ['a relation of a relation', { documents: { some: { owner: { name: 'x' } } } }],
    ['undefined, which Prisma would take for everybody', { email: undefined }],
    ['equals undefined', { email: { equals: undefined } }],
    ['nothing at all', { email: {} }],
    ['not nothing', { email: { not: {} } }],
    ['a number', { email: 7 as never }],
    ['null in a list', { email: { in: [null as never] } }],
    ['an operator that nobody knows', { email: { like: 'x' } as never }],
  ];
  it.each(refused)('%s: refused with the fix', async (_, where) => {
    await expect(find(where)).rejects.toMatchObject({
      code: 'unsupported-filter',
      message: expect.stringMatching(/: /) as string,
    });
    await expect(db.document.count({ where: { owner: where } })).rejects.toMatchObject({ code: 'unsupported-filter' });
  });

  it('compares a sealed field with another field: refused', async () => {
    const { fields } = db.user;
    await expect(find({ status: { equals: fields.name as never } })).rejects.toMatchObject({
      code: 'unsupported-filter',
    });
    await expect(find({ email: { equals: fields.status as never } })).rejects.toMatchObject({
      code: 'unsupported-filter',
    });
    expect(await find({ status: { equals: fields.status } })).toEqual(['ann', 'bea', 'cem']);
  });
});
