import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sealerOf, type StoredRow } from '../src/index.js';
import { person, sealed, Vault, type TestClient } from './support/vault.js';

let vault: Vault;
let db: TestClient;
beforeAll(async () => {
  vault = await Vault.open();
  db = vault.connect();
});
afterAll(() => vault.close());

const codeOf = (work: Promise<unknown>) => work.then(String, ({ code }: { code: unknown }) => code);

interface Sql {
  $executeRawUnsafe(text: string, ...values: unknown[]): Promise<number>;
}

function insert(client: object, { table, columns }: StoredRow): Promise<number> {
  const names = Object.keys(columns);
  return (client as Sql).$executeRawUnsafe(
    `INSERT INTO ${table} (${names.join(', ')}) VALUES (${names.map((_, at) => `$${at + 1}`).join(', ')})`,
    ...Object.values(columns),
  );
}

describe('$seal: a row for a statement that is written by hand [practice 7.3]', () => {
  it('holds cells and indexes under the names of the table, and opens when it is read through the model', async () => {
    const ann = person('ann');
    const row = await sealerOf(db).$seal('User', ann);
    expect([row.table, Object.keys(row.columns).toSorted()]).toEqual([
      'users',
      ['email', 'email_index', 'id', 'name', 'phone'],
    ]);
    for (const name of ['email', 'name', 'phone']) expect(String(row.columns[name]).startsWith(sealed)).toBe(true);
    await insert(db, row);
    expect(await db.user.findFirst({ where: { email: ann.email } })).toMatchObject(ann);
    expect(await vault.dump()).not.toContain(ann.email);
    expect(ann.email).toContain('@');
  });

  it('seals in a transaction that is rolled back: the key that it made seals nothing afterwards', async () => {
    const bea = person('bea');
    const work = db.$transaction(async (client) => {
      await insert(client, await sealerOf(client).$seal('User', bea));
      throw new Error('rolled back');
    });
    await expect(work).rejects.toThrow('rolled back');
    await insert(db, await sealerOf(db).$seal('User', bea));
    expect(await vault.connect().user.findFirst({ where: { email: bea.email } })).toMatchObject(bea);
  });

  it.each([
    ['an index by hand', { ...person('eve'), emailIndex: 'x' }, 'index-by-hand'],
    ['a relation', { ...person('eve'), documents: { create: { title: 'T', body: 'B' } } }, 'unsupported-operation'],
    ['a field that is none', { ...person('eve'), password: 'x' }, 'unsupported-operation'],
  ])('writes %s: refused', async (_name, data, code) => {
    expect(await codeOf(sealerOf(db).$seal('User', data))).toBe(code);
  });

  it('writes a cell into a column that is not sealed: refused', async () => {
    const { columns } = await sealerOf(db).$seal('User', person('eve'));
    expect(await codeOf(sealerOf(db).$seal('User', { ...person('eve'), status: columns['name'] }))).toBe('bad-value');
  });

  it('names a model that is none: refused', async () => {
    expect(await codeOf(sealerOf(db).$seal('Nobody', {}))).toBe('unknown-model');
  });
});
