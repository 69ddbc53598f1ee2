import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DirectRead } from '../src/index.js';
import { person, sealed, Vault, type TestClient } from './support/vault.js';

// Somebody reads in the place of Prisma: rows as they are stored.

let vault: Vault;
let db: TestClient;
const asked: Parameters<DirectRead>[0][] = [];
const ann = person('ann');
const stored = 'SELECT id, name, email, email_index AS "emailIndex", phone FROM users ORDER BY id';

beforeAll(async () => {
  vault = await Vault.open();
  db = vault.connect({
    read: (call) => {
      asked.push(call);
      return call.operation === 'findMany' ? vault.sql(stored) : undefined;
    },
  });
  await db.user.create({ data: ann });
});
afterAll(() => vault.close());

describe('a read past Prisma [practice 7.3]', () => {
  it('is asked with filters on blind indexes and what opening needs; cells are opened, the rest goes', async () => {
    asked.length = 0;
    const rows = await db.user.findMany({
      where: { email: ann.email },
      select: { name: true, email: true, phone: true },
    });
    expect(asked).toMatchObject([{ model: 'User', operation: 'findMany', args: { select: { id: true } } }]);
    expect(JSON.stringify(asked)).not.toContain(ann.email);
    expect(rows).toEqual([{ name: ann.name, email: ann.email, phone: ann.phone }]);
  });

  it('gets the cell of another row put into this one: the read fails, as one through Prisma does', async () => {
    const bea = await db.user.create({ data: person('bea') });
    await vault.sql('UPDATE users SET phone = (SELECT phone FROM users WHERE id = $1) WHERE id = $2', [ann.id, bea.id]);
    await expect(db.user.findMany()).rejects.toMatchObject({ code: 'foreign-key' });
    await db.user.deleteMany({ where: { id: bea.id } });
  });

  it('is not asked in a transaction, which has its own view of the rows, nor for writes', async () => {
    asked.length = 0;
    await db.$transaction((client) => client.user.findMany());
    await db.$transaction([db.user.findMany()]);
    await db.user.update({ where: { id: ann.id }, data: { name: ann.name } });
    expect(asked.filter(({ operation }) => operation !== 'update')).toEqual([]);
  });

  it('answers undefined: Prisma reads', async () => {
    expect(await db.user.findUnique({ where: { id: ann.id } })).toMatchObject(ann);
    expect((await vault.dump()).includes(sealed)).toBe(true);
  });
});
