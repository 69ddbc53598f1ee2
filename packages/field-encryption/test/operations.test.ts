import { randomUUID, randomUUIDv7 } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { person, sealed, Vault, type TestClient } from './support/vault.js';

// Every operation of Prisma's client, at every depth: right, or refused. Right means that the result holds plaintext
// and no cell, and that the database holds cells and no plaintext.

interface World {
  readonly db: TestClient;
  /** A user with a document that has a note. */
  readonly ann: ReturnType<typeof person>;
  readonly documentId: string;
  /** A value that must come back, and must never be in the database. */
  readonly secret: string;
}
type Case = readonly [name: string, run: (world: World) => Promise<unknown>, expected: (world: World) => unknown];

let vault: Vault;
let db: TestClient;
beforeAll(async () => {
  vault = await Vault.open();
  db = vault.connect();
});
afterAll(() => vault.close());

async function world(): Promise<World> {
  const ann = person('ann');
  const [documentId, secret] = [randomUUIDv7(), `secret-${randomUUID()}`];
  await db.user.create({
    data: { ...ann, documents: { create: { id: documentId, title: 'T', body: 'B', note: secret } } },
  });
  return { db, ann, documentId, secret };
}

const document = (note: string) => ({ title: 'T', body: 'B', note });
const plain = ({ ann }: World) => ({ name: ann.name, email: ann.email });
const nameOf = ({ db: client, ann }: World) =>
  client.user.findUniqueOrThrow({ where: { id: ann.id }, select: { name: true } });
const noteOf = ({ db: client, documentId }: World) =>
  client.document.findUniqueOrThrow({ where: { id: documentId }, select: { note: true } });

const reads: readonly Case[] = [
  ['findUnique', ({ db: c, ann }) => c.user.findUnique({ where: { id: ann.id } }), plain],
  ['findUniqueOrThrow', ({ db: c, ann }) => c.user.findUniqueOrThrow({ where: { id: ann.id } }), plain],
  ['findFirst by index', ({ db: c, ann }) => c.user.findFirst({ where: { email: ann.email } }), plain],
  ['findFirstOrThrow', ({ db: c, ann }) => c.user.findFirstOrThrow({ where: { email: { equals: ann.email } } }), plain],
  [
    'findMany',
    ({ db: c, ann }) => c.user.findMany({ where: { email: { in: [ann.email, 'nobody'] } } }),
    (w) => [plain(w)],
  ],
  ['findUnique of nobody', ({ db: c }) => c.user.findUnique({ where: { id: randomUUIDv7() } }), () => null],
  [
    'two findUnique in one tick',
    ({ db: c, ann }) => Promise.all([1, 2].map(() => c.user.findUnique({ where: { id: ann.id } }))),
    (w) => [plain(w), plain(w)],
  ],
  ['count', ({ db: c, ann }) => c.user.count({ where: { email: ann.email } }), () => 1],
  [
    'count of fields',
    ({ db: c, ann }) => c.user.count({ where: { id: ann.id }, select: { phone: true } }),
    () => ({ phone: 1 }),
  ],
  [
    'aggregate',
    ({ db: c, ann }) => c.user.aggregate({ where: { email: ann.email }, _max: { version: true } }),
    () => ({ _max: { version: 1 } }),
  ],
  [
    'groupBy',
    ({ db: c, ann }) => c.user.groupBy({ where: { email: ann.email }, by: ['status'], _count: true }),
    () => [{ status: 'active', _count: 1 }],
  ],
  [
    'include',
    ({ db: c, ann }) => c.user.findUnique({ where: { id: ann.id }, include: { documents: true } }),
    (w) => ({ ...plain(w), documents: [{ note: w.secret }] }),
  ],
  [
    'nested include',
    ({ db: c, documentId }) =>
      c.document.findUnique({ where: { id: documentId }, include: { owner: { include: { documents: true } } } }),
    (w) => ({ note: w.secret, owner: { ...plain(w), documents: [{ note: w.secret }] } }),
  ],
  [
    '_count with a filter',
    ({ db: c, ann }) =>
      c.user.findFirst({
        where: { id: ann.id },
        select: { _count: { select: { documents: { where: { owner: { email: ann.email } } } } } },
      }),
    () => ({ _count: { documents: 1 } }),
  ],
  ['omit', ({ db: c, ann }) => c.user.findUnique({ where: { id: ann.id }, omit: { phone: true } }), plain],
  ['fluent', ({ db: c, ann }) => c.user.findUnique({ where: { id: ann.id } }).documents(), (w) => [{ note: w.secret }]],
  [
    'fluent, selected',
    ({ db: c, ann }) => c.user.findUnique({ where: { id: ann.id } }).documents({ select: { note: true } }),
    (w) => [{ note: w.secret }],
  ],
  [
    'fluent, twice',
    ({ db: c, documentId }) =>
      c.document
        .findUnique({ where: { id: documentId } })
        .owner()
        .documents(),
    (w) => [{ note: w.secret }],
  ],
  [
    'fluent to one',
    ({ db: c, documentId }) => c.document.findUnique({ where: { id: documentId } }).owner({ select: { email: true } }),
    (w) => ({ email: w.ann.email }),
  ],
  [
    'batch',
    ({ db: c, ann }) =>
      c.$transaction([c.user.findUnique({ where: { id: ann.id } }), c.user.count({ where: { email: ann.email } })]),
    (w) => [plain(w), 1],
  ],
  ['interactive', ({ db: c, ann }) => c.$transaction((tx) => tx.user.findUnique({ where: { id: ann.id } })), plain],
  [
    'raw of plain columns',
    ({ db: c, ann }) => c.$queryRaw`SELECT status FROM users WHERE id = ${ann.id}::uuid`,
    () => [{ status: 'active' }],
  ],
  [
    'raw statement',
    ({ db: c, ann }) => c.$executeRaw`UPDATE users SET version = 2 WHERE id = ${ann.id}::uuid`,
    () => 1,
  ],
];

const writes: readonly Case[] = [
  [
    'create',
    async ({ db: c, secret }) => c.user.create({ data: { ...person('bea'), name: secret } }),
    (w) => ({ name: w.secret }),
  ],
  [
    'create without an id',
    ({ db: c, secret }) => c.user.create({ data: { email: `${secret}@x.org`, name: secret } }),
    (w) => ({ name: w.secret, email: `${w.secret}@x.org` }),
  ],
  [
    'create with null',
    async ({ db: c, secret }) => c.user.create({ data: { ...person('bea'), name: secret, phone: null } }),
    () => ({ phone: null }),
  ],
  [
    'createMany',
    async ({ db: c, secret }) => [
      await c.user.createMany({ data: [person('a'), { ...person('b'), phone: secret }] }),
      await c.user.findMany({ orderBy: { id: 'desc' }, take: 2 }),
    ],
    (w) => [{ count: 2 }, expect.arrayContaining([expect.objectContaining({ phone: w.secret })])],
  ],
  [
    'createManyAndReturn',
    ({ db: c, secret }) =>
      c.user.createManyAndReturn({ data: [person('a'), { ...person('b'), phone: secret }], select: { phone: true } }),
    (w) => [{ phone: expect.stringContaining('+41') as string }, { phone: w.secret }],
  ],
  [
    'update',
    async (w) => [
      await w.db.user.update({ where: { id: w.ann.id }, data: { name: `new ${w.secret}` } }),
      await nameOf(w),
    ],
    (w) => [{ name: `new ${w.secret}` }, { name: `new ${w.secret}` }],
  ],
  [
    'update with set',
    ({ db: c, ann, secret }) => c.user.update({ where: { id: ann.id }, data: { email: { set: `${secret}@x.org` } } }),
    (w) => ({ email: `${w.secret}@x.org` }),
  ],
  [
    'update to null',
    ({ db: c, ann }) => c.user.update({ where: { id: ann.id }, data: { phone: null } }),
    () => ({ phone: null }),
  ],
  [
    'update of a row whose subject has to be read',
    async (w) => [
      await w.db.document.update({ where: { id: w.documentId, version: 1 }, data: { note: `new ${w.secret}` } }),
      await noteOf(w),
    ],
    (w) => [{ note: `new ${w.secret}` }, { note: `new ${w.secret}` }],
  ],
  [
    'update found by relation and index',
    (w) =>
      w.db.document.update({ where: { id: w.documentId, owner: { email: w.ann.email } }, data: { note: w.secret } }),
    (w) => ({ note: w.secret }),
  ],
  [
    'update of plain fields',
    ({ db: c, documentId }) => c.document.update({ where: { id: documentId }, data: { title: 'U' } }),
    (w) => ({ title: 'U', note: w.secret }),
  ],
  [
    'updateMany to null',
    async (w) => [
      await w.db.document.updateMany({ where: { ownerId: w.ann.id }, data: { note: null } }),
      await noteOf(w),
    ],
    () => [{ count: 1 }, { note: null }],
  ],
  [
    'updateManyAndReturn',
    ({ db: c, ann }) => c.document.updateManyAndReturn({ where: { ownerId: ann.id }, data: { title: 'U' } }),
    (w) => [{ title: 'U', note: w.secret }],
  ],
  [
    'upsert that updates',
    async (w) => [
      await w.db.user.upsert({ where: { id: w.ann.id }, create: person('x'), update: { name: w.secret } }),
      await nameOf(w),
    ],
    (w) => [{ name: w.secret }, { name: w.secret }],
  ],
  [
    'upsert that creates',
    ({ db: c, secret }) =>
      c.user.upsert({
        where: { id: randomUUIDv7() },
        create: { ...person('x'), name: secret },
        update: { name: 'no' },
      }),
    (w) => ({ name: w.secret }),
  ],
  [
    'upsert that reads first and updates',
    (w) =>
      w.db.document.upsert({
        where: { id: w.documentId },
        create: { ownerId: w.ann.id, ...document('no') },
        update: { note: w.secret },
      }),
    (w) => ({ note: w.secret }),
  ],
  [
    'upsert that reads first and creates',
    (w) =>
      w.db.document.upsert({
        where: { id: randomUUIDv7() },
        create: { ownerId: w.ann.id, ...document(w.secret) },
        update: { note: 'no' },
      }),
    (w) => ({ note: w.secret }),
  ],
  ['delete', ({ db: c, documentId }) => c.document.delete({ where: { id: documentId } }), (w) => ({ note: w.secret })],
  ['deleteMany by index', ({ db: c, ann }) => c.user.deleteMany({ where: { email: ann.email } }), () => ({ count: 1 })],
  [
    'fluent after create',
    ({ db: c, secret }) =>
      c.document
        .create({ data: { ...document(secret), owner: { create: person('o') } } })
        .owner({ select: { name: true } }),
    () => ({ name: expect.stringMatching(/^o /) as string }),
  ],
  [
    'batch of writes',
    ({ db: c, ann, secret }) =>
      c.$transaction([
        c.user.create({ data: person('b') }),
        c.user.update({ where: { id: ann.id }, data: { name: secret } }),
      ]),
    (w) => [{ name: expect.stringMatching(/^b /) as string }, { name: w.secret }],
  ],
];

const nested: readonly Case[] = [
  [
    'create to one',
    ({ db: c, secret }) =>
      c.user.create({ data: { ...person('n'), password: { create: { hash: secret } } }, include: { password: true } }),
    (w) => ({ password: { hash: w.secret } }),
  ],
  [
    'create to many',
    ({ db: c, secret }) =>
      c.user.create({
        data: { ...person('n'), documents: { create: [document(secret), document('2')] } },
        include: { documents: { orderBy: { id: 'asc' } } },
      }),
    (w) => ({ documents: expect.arrayContaining([expect.objectContaining({ note: w.secret })]) }),
  ],
  [
    'create without ids at both levels',
    ({ db: c, secret }) =>
      c.user.create({
        data: { email: `${secret}@x.org`, name: 'n', documents: { create: document(secret) } },
        include: { documents: true },
      }),
    (w) => ({ documents: [{ note: w.secret }] }),
  ],
  [
    'create of the owner',
    ({ db: c, secret }) =>
      c.document.create({
        data: { ...document(secret), owner: { create: { email: `${secret}@x.org`, name: 'o' } } },
        include: { owner: true },
      }),
    (w) => ({ note: w.secret, owner: { email: `${w.secret}@x.org` } }),
  ],
  [
    'connect of the owner by id',
    ({ db: c, ann, secret }) =>
      c.document.create({ data: { ...document(`2${secret}`), owner: { connect: { id: ann.id } } } }),
    (w) => ({ note: `2${w.secret}` }),
  ],
  [
    'createMany',
    ({ db: c, ann, secret }) =>
      c.user.update({
        where: { id: ann.id },
        data: { documents: { createMany: { data: [document(`3${secret}`)] } } },
        include: { documents: { orderBy: { id: 'desc' }, take: 1 } },
      }),
    (w) => ({ documents: [{ note: `3${w.secret}` }] }),
  ],
  [
    'create in an update',
    ({ db: c, ann, secret }) =>
      c.user.update({
        where: { id: ann.id },
        data: { password: { create: { hash: secret } } },
        include: { password: true },
      }),
    (w) => ({ password: { hash: w.secret } }),
  ],
  [
    'create in an update found by its index',
    async (w) => {
      const { emailIndex } = await w.db.user.findUniqueOrThrow({ where: { id: w.ann.id } });
      return w.db.user.update({
        where: { emailIndex: String(emailIndex) },
        data: { name: w.secret, password: { create: { hash: w.secret } } },
        include: { password: true },
      });
    },
    (w) => ({ name: w.secret, password: { hash: w.secret } }),
  ],
  [
    'update to one',
    async (w) => {
      await w.db.passwordCredential.create({ data: { userId: w.ann.id, hash: 'old' } });
      return w.db.user.update({
        where: { id: w.ann.id },
        data: { password: { update: { hash: w.secret } } },
        include: { password: true },
      });
    },
    (w) => ({ password: { hash: w.secret } }),
  ],
  [
    'update to one with data',
    async (w) => {
      await w.db.passwordCredential.create({ data: { userId: w.ann.id, hash: 'old' } });
      return w.db.user.update({
        where: { id: w.ann.id },
        data: { password: { update: { where: { userId: w.ann.id }, data: { hash: w.secret } } } },
        include: { password: true },
      });
    },
    (w) => ({ password: { hash: w.secret } }),
  ],
  [
    'update to many',
    (w) =>
      w.db.user.update({
        where: { id: w.ann.id },
        data: { documents: { update: { where: { id: w.documentId }, data: { note: `n ${w.secret}` } } } },
        include: { documents: true },
      }),
    (w) => ({ documents: [{ note: `n ${w.secret}` }] }),
  ],
  [
    'update of the owner',
    (w) =>
      w.db.document.update({
        where: { id: w.documentId },
        data: { owner: { update: { name: w.secret } } },
        include: { owner: true },
      }),
    (w) => ({ owner: { name: w.secret } }),
  ],
  [
    'upsert to one that creates',
    (w) =>
      w.db.user.update({
        where: { id: w.ann.id },
        data: { password: { upsert: { create: { hash: w.secret }, update: { hash: 'no' } } } },
        include: { password: true },
      }),
    (w) => ({ password: { hash: w.secret } }),
  ],
  [
    'upsert to many that updates',
    (w) =>
      w.db.user.update({
        where: { id: w.ann.id },
        data: {
          documents: {
            upsert: { where: { id: w.documentId }, create: document('no'), update: { note: `u ${w.secret}` } },
          },
        },
        include: { documents: true },
      }),
    (w) => ({ documents: [{ note: `u ${w.secret}` }] }),
  ],
  [
    'upsert to many that creates',
    (w) =>
      w.db.user.update({
        where: { id: w.ann.id },
        data: {
          documents: {
            upsert: { where: { id: randomUUIDv7() }, create: document(`c ${w.secret}`), update: { note: 'no' } },
          },
        },
        include: { documents: { orderBy: { id: 'desc' }, take: 1 } },
      }),
    (w) => ({ documents: [{ note: `c ${w.secret}` }] }),
  ],
  [
    'updateMany of plain fields, deleteMany, delete',
    async (w) => {
      await w.db.user.update({
        where: { id: w.ann.id },
        data: { documents: { updateMany: { where: { note: { not: null } }, data: { title: 'U' } } } },
      });
      return w.db.user.update({
        where: { id: w.ann.id },
        data: { documents: { delete: { id: w.documentId }, deleteMany: { title: 'none' } } },
        include: { documents: true },
      });
    },
    () => ({ documents: [] }),
  ],
];

describe('right: plaintext in the result, cells at rest [practice 7.3] [ASVS 11.3.3] [ASVS 14.2.4]', () => {
  it.each([...reads, ...writes, ...nested.map(([name, ...rest]) => [`nested ${name}`, ...rest] as Case)])(
    '%s',
    async (_, run, expected) => {
      const here = await world();
      const result = await run(here);
      const wanted = expected(here);
      if (typeof wanted === 'object' && wanted !== null) expect(result).toMatchObject(wanted);
      else expect(result).toEqual(wanted);
      expect(JSON.stringify(result)).not.toContain(sealed);
      const dump = await vault.dump();
      expect(dump).not.toContain(here.secret);
      expect(dump).not.toContain(here.ann.name);
      expect(dump).not.toContain(here.ann.email);
    },
  );

  it('takes out again what was only read to open a cell', async () => {
    const { ann } = await world();
    expect(
      await db.user.findFirst({
        where: { id: ann.id },
        select: { email: true, documents: { select: { note: true } } },
      }),
    ).toEqual({
      email: ann.email,
      documents: [{ note: expect.any(String) as string }],
    });
    const omitted = await db.user.findFirst({
      where: { id: ann.id },
      omit: { id: true, emailIndex: true },
      include: { documents: { omit: { id: true, ownerId: true } } },
    });
    expect(Object.keys(omitted ?? {})).not.toContain('id');
    expect(Object.keys(omitted ?? {})).not.toContain('emailIndex');
    expect(Object.keys(omitted?.documents[0] ?? {})).toEqual(['title', 'body', 'note', 'version']);
  });

  it('updates a row that is gone: Prisma says so, and nothing is written', async () => {
    const { ann } = await world();
    const gone = { where: { id: randomUUIDv7(), version: 1 }, data: { note: 'x' } };
    await expect(db.document.update(gone)).rejects.toMatchObject({ code: 'P2025' });
    await expect(
      db.user.update({ where: { id: ann.id, status: 'disabled' }, data: { name: 'x' } }),
    ).rejects.toMatchObject({ code: 'P2025' });
  });

  it('writes plaintext by raw SQL: the CHECK constraint refuses it', async () => {
    const { ann } = await world();
    await expect(db.$executeRaw`UPDATE users SET phone = ${'+41'} WHERE id = ${ann.id}::uuid`).rejects.toThrow(
      /users_phone_check/,
    );
  });
});

const refused: readonly (readonly [code: string, name: string, run: (world: World) => Promise<unknown>])[] = [
  ['bulk-write', 'updateMany of an encrypted field', ({ db: c }) => c.user.updateMany({ data: { name: 'x' } })],
  ['bulk-write', 'updateManyAndReturn of one', ({ db: c }) => c.user.updateManyAndReturn({ data: { phone: 'x' } })],
  [
    'bulk-write',
    'nested updateMany of one',
    ({ db: c, ann }) =>
      c.user.update({ where: { id: ann.id }, data: { documents: { updateMany: { where: {}, data: { note: 'x' } } } } }),
  ],
  [
    'fixed-field',
    'update of the row id',
    ({ db: c, ann }) => c.user.update({ where: { id: ann.id }, data: { id: randomUUIDv7() } }),
  ],
  [
    'fixed-field',
    'update of the subject',
    ({ db: c, ann, documentId }) => c.document.update({ where: { id: documentId }, data: { ownerId: ann.id } }),
  ],
  [
    'fixed-field',
    'updateMany of the subject',
    ({ db: c, ann }) => c.document.updateMany({ data: { ownerId: ann.id } }),
  ],
  [
    'fixed-field',
    'upsert of the subject',
    ({ db: c, ann, documentId }) =>
      c.document.upsert({
        where: { id: documentId },
        create: { ownerId: ann.id, ...document('x') },
        update: { ownerId: ann.id },
      }),
  ],
  [
    'unsupported-nested-write',
    'connect that gives a row another subject',
    ({ db: c, ann, documentId }) =>
      c.user.update({ where: { id: ann.id }, data: { documents: { connect: { id: documentId } } } }),
  ],
  [
    'unsupported-nested-write',
    'set that gives rows another subject',
    ({ db: c, ann }) => c.user.update({ where: { id: ann.id }, data: { documents: { set: [] } } }),
  ],
  [
    'unsupported-nested-write',
    'connect of another owner',
    ({ db: c, ann, documentId }) =>
      c.document.update({ where: { id: documentId }, data: { owner: { connect: { id: ann.id } } } }),
  ],
  [
    'unsupported-nested-write',
    'create of another owner',
    ({ db: c, documentId }) =>
      c.document.update({ where: { id: documentId }, data: { owner: { create: person('x') } } }),
  ],
  [
    'unsupported-nested-write',
    'connectOrCreate of the subject',
    ({ db: c, ann }) =>
      c.document.create({
        data: { ...document('x'), owner: { connectOrCreate: { where: { id: ann.id }, create: person('x') } } },
      }),
  ],
  [
    'unsupported-nested-write',
    'a nested operation that nobody knows',
    ({ db: c, ann }) => c.user.update({ where: { id: ann.id }, data: { documents: { merge: {} } as never } }),
  ],
  [
    'unknown-row',
    'connect of the subject by something other than its id',
    ({ db: c }) => c.document.create({ data: { ...document('x'), owner: { connect: { emailIndex: 'x' } } } }),
  ],
  [
    'unknown-row',
    'update in a batch of a row that has to be read first',
    ({ db: c, documentId }) => c.$transaction([c.document.update({ where: { id: documentId }, data: { note: 'x' } })]),
  ],
  [
    'unknown-row',
    'create of a credential without its user',
    ({ db: c }) => c.passwordCredential.create({ data: { hash: 'x' } as never }),
  ],
  [
    'bad-identifier',
    'create with an id that PostgreSQL would write otherwise',
    ({ db: c }) => c.user.create({ data: { ...person('x'), id: randomUUIDv7().toUpperCase() } }),
  ],
  [
    'bad-value',
    'text with a lone surrogate',
    ({ db: c }) => c.user.create({ data: { ...person('x'), name: 'a\ud800' } }),
  ],
  ['bad-value', 'a number', ({ db: c }) => c.user.create({ data: { ...person('x'), name: 7 as never } })],
  [
    'bad-value',
    'an operation instead of a value',
    ({ db: c, ann }) => c.user.update({ where: { id: ann.id }, data: { name: { push: 'x' } as never } }),
  ],
  [
    'bad-value',
    'a cell in a column in clear',
    async ({ db: c, ann, documentId }) => {
      const [row] = await vault.sql('SELECT name FROM users WHERE id = $1', [ann.id]);
      return c.document.update({ where: { id: documentId }, data: { title: row?.['name'] ?? '' } });
    },
  ],
  [
    'index-by-hand',
    'blind index on create',
    ({ db: c }) => c.user.create({ data: { ...person('x'), emailIndex: 'x' } }),
  ],
  [
    'index-by-hand',
    'blind index on update',
    ({ db: c, ann }) => c.user.update({ where: { id: ann.id }, data: { emailIndex: null } }),
  ],
  ['index-by-hand', 'blind index on updateMany', ({ db: c }) => c.user.updateMany({ data: { emailIndex: null } })],
  ['unsupported-order', 'orderBy', ({ db: c }) => c.user.findMany({ orderBy: { email: 'asc' } })],
  [
    'unsupported-order',
    'orderBy in a list',
    ({ db: c }) => c.user.findMany({ orderBy: [{ id: 'asc' }, { phone: { sort: 'asc', nulls: 'last' } }] }),
  ],
  [
    'unsupported-order',
    'orderBy of a relation',
    ({ db: c }) => c.document.findMany({ orderBy: { owner: { name: 'asc' } } }),
  ],
  [
    'unsupported-order',
    'orderBy in an include',
    ({ db: c }) => c.user.findMany({ include: { documents: { orderBy: { note: 'asc' } } } }),
  ],
  ['unsupported-order', 'distinct', ({ db: c }) => c.user.findMany({ distinct: ['email'] })],
  [
    'unsupported-order',
    'distinct in a nested select',
    ({ db: c }) => c.user.findMany({ select: { documents: { distinct: 'note' } } }),
  ],
  ['unsupported-order', 'cursor', ({ db: c, ann }) => c.user.findMany({ cursor: { id: ann.id, email: ann.email } })],
  [
    'unsupported-order',
    'groupBy orderBy of an aggregate',
    ({ db: c }) => c.user.groupBy({ by: ['status'], orderBy: { _max: { name: 'asc' } } }),
  ],
  ['unsupported-aggregate', 'groupBy', ({ db: c }) => c.user.groupBy({ by: ['email'] })],
  [
    'unsupported-aggregate',
    'having',
    ({ db: c }) => c.user.groupBy({ by: ['status'], having: { OR: [{ name: { _max: { gt: 'a' } } }] } as never }),
  ],
  ['unsupported-aggregate', '_min', ({ db: c }) => c.user.aggregate({ _min: { email: true } })],
  [
    'unsupported-aggregate',
    '_max in groupBy',
    ({ db: c }) => c.user.groupBy({ by: ['status'], _max: { phone: true } }),
  ],
  [
    'unsupported-operation',
    'an operation that nobody knows',
    ({ db: c }) => (c.user as unknown as { findRaw: (args: object) => Promise<unknown> }).findRaw({}),
  ],
  [
    'stray-cell',
    'raw query of a sealed column',
    ({ db: c, ann }) => c.$queryRaw`SELECT name FROM users WHERE id = ${ann.id}::uuid`,
  ],
  [
    'stray-cell',
    'raw query of rows as JSON',
    ({ db: c, ann }) => c.$queryRawUnsafe(`SELECT to_jsonb(u) AS u FROM users u WHERE id = '${ann.id}'`),
  ],
];

describe('refused: a typed error that tells what to do, and nothing written [practice 7.3]', () => {
  it.each(refused)('%s: %s', async (code, _, run) => {
    const here = await world();
    const before = await vault.dump();
    const error = await run(here).catch((thrown: unknown) => thrown as Error);
    expect(error).toMatchObject({ name: 'FieldEncryptionError', code });
    expect((error as Error).message).not.toContain(here.ann.email);
    expect((error as Error).message).not.toContain(sealed);
    expect(await vault.dump()).toBe(before);
  });
});
