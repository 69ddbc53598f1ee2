import { randomBytes, randomUUIDv7 } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { purposes } from './support/purposes.js';
import { LocalKeyWrapper } from '../src/keys/key-wrapper.js';
import { KeyRing, type KeyWrapper } from '../src/index.js';
import { person, Vault, type TestClient } from './support/vault.js';
import { DataKeyCache } from '../src/index.js';

let vault: Vault;
let db: TestClient;
beforeAll(async () => {
  vault = await Vault.open();
  db = vault.connect();
});
afterEach(() => vault.release());
afterAll(() => vault.close());

const keysOf = (subject: string) => vault.sql('SELECT * FROM data_keys WHERE subject = $1', [subject]);
const note = (ownerId: string, text: string) => ({ data: { ownerId, title: 'T', body: 'B', note: text } });

/**
 * The local wrapper, counting; `meanwhile` runs while a key is being unwrapped: after the extension looked, before it
 * writes.
 */
function countingWrapper(meanwhile?: () => Promise<unknown>): KeyWrapper & { unwrapped: number } {
  const local = new LocalKeyWrapper(vault.keyRing);
  return {
    name: local.name,
    unwrapped: 0,
    wrap: (...args) => local.wrap(...args),
    async unwrap(...args) {
      this.unwrapped++;
      await meanwhile?.();
      return local.unwrap(...args);
    },
  };
}

describe('data keys in transactions [practice 7.3]', () => {
  it('rolls a transaction back that made a key: the key never seals anything', async () => {
    const ann = person('ann');
    await expect(
      db.$transaction(async (tx) => {
        await tx.user.create({ data: ann });
        expect(await tx.user.findUnique({ where: { id: ann.id } })).toMatchObject({ name: ann.name });
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    expect(await keysOf(ann.id)).toEqual([]);
    await db.user.create({ data: ann });
    expect(await keysOf(ann.id)).toHaveLength(1);
    expect(await vault.connect().user.findUnique({ where: { id: ann.id } })).toMatchObject({ email: ann.email });
  });

  it('rolls a nested transaction back: its key is gone, that of the outer one stays', async () => {
    const [ann, bea] = [person('ann'), person('bea')];
    await db.$transaction(async (tx) => {
      await tx.user.create({ data: ann });
      const inner = tx.$transaction(async (nested) => {
        await nested.user.create({ data: bea });
        await nested.user.update({ where: { id: ann.id }, data: { name: 'lost' } });
        throw new Error('no');
      });
      await expect(inner).rejects.toThrow('no');
      await tx.user.create({ data: bea });
      await tx.user.update({ where: { id: ann.id }, data: { phone: 'kept' } });
    });
    const rows = await vault.connect().user.findMany({ where: { id: { in: [ann.id, bea.id] } } });
    expect(new Set(rows.map(({ name }) => name))).toEqual(new Set([ann.name, bea.name]));
  });

  it('keeps the keys of a committed transaction', async () => {
    const wrapper = countingWrapper();
    const client = vault.connect({ wrappers: [wrapper] });
    const ann = person('ann');
    await client.$transaction((tx) => tx.user.create({ data: ann }));
    expect(await client.user.findUnique({ where: { id: ann.id } })).toMatchObject({ name: ann.name });
    expect(wrapper.unwrapped).toBe(0);
  });

  it('uses the client of a transaction after it: refused', async () => {
    const leaked = await db.$transaction(async (tx) => ({ tx }));
    await expect(leaked.tx.user.count()).rejects.toMatchObject({ code: 'foreign-transaction' });
  });

  it('begins a second transaction of its own beside a running one: keys do not mix', async () => {
    const ann = person('ann');
    let other: Promise<unknown> = Promise.resolve();
    await db.$transaction(async (tx) => {
      await tx.user.create({ data: ann });
      other = db.$transaction((second) => second.user.count({ where: { email: ann.email } }));
    });
    expect([0, 1]).toContain(await other);
  });
});

describe('data keys of several instances [practice 7.3]', () => {
  it('races two instances for the first key of a subject: one key, and both can read everything', async () => {
    const [one, other] = [vault.connect(), vault.connect()];
    const subject = 'signing-keys';
    const key = (client: TestClient, text: string) => client.signingKey.create({ data: { privateJwk: text } });
    await Promise.all(Array.from({ length: 10 }, (_, at) => key(at % 2 === 0 ? one : other, `key ${at}`)));
    expect(await keysOf(subject)).toHaveLength(1);
    for (const client of [one, other, vault.connect()]) expect(await client.signingKey.findMany()).toHaveLength(10);
  });

  it('destroys a key in another process: usable for the age of the cache at most, then refused', async () => {
    const client = vault.connect({ cache: new DataKeyCache({ maxKeys: 100, maxAgeSeconds: 0.3 }) });
    const ann = person('ann');
    await client.user.create({ data: ann });
    await vault.sql(
      `UPDATE data_keys SET state = 'destroyed', wrapped = NULL, destroyed_at = now() WHERE subject = $1`,
      [ann.id],
    );
    await new Promise((resolve) => setTimeout(resolve, 350));
    await expect(client.user.findUnique({ where: { id: ann.id } })).rejects.toMatchObject({ code: 'destroyed-key' });
    await expect(client.user.update({ where: { id: ann.id }, data: { name: 'x' } })).rejects.toMatchObject({
      code: 'destroyed-key',
    });
    expect(await keysOf(ann.id)).toHaveLength(1);
  });

  it('asks for a cache that keeps keys longer than a minute: refused', () => {
    expect(() => vault.connect({ cache: new DataKeyCache({ maxKeys: 10, maxAgeSeconds: 61 }) })).toThrow(RangeError);
    expect(() => vault.connect({ cache: new DataKeyCache({ maxKeys: 0, maxAgeSeconds: 60 }) })).toThrow(RangeError);
  });

  it('holds no more keys than allowed, and stays right', async () => {
    const wrapper = countingWrapper();
    const client = vault.connect({ wrappers: [wrapper], cache: new DataKeyCache({ maxKeys: 2, maxAgeSeconds: 60 }) });
    const people = ['a', 'b', 'c', 'd', 'e'].map(person);
    await client.user.createMany({ data: people });
    for (const round of [1, 2]) {
      const rows = await client.user.findMany({ where: { id: { in: people.map(({ id }) => id) } } });
      expect(rows.map(({ name }) => name).toSorted()).toEqual(people.map(({ name }) => name).toSorted());
      expect(wrapper.unwrapped).toBeGreaterThanOrEqual(3 * round);
    }
  });

  it('reads a page of many subjects: one query for all keys, none when they are known', async () => {
    const people = Array.from({ length: 20 }, (_, at) => person(`p${at}`));
    await db.user.createMany({ data: people });
    for (const { id } of people) await db.document.create(note(id, 'n'));
    const client = vault.connect();
    const keyQueries = async () => {
      vault.statements.length = 0;
      await client.user.findMany({ where: { id: { in: people.map(({ id }) => id) } }, include: { documents: true } });
      return vault.statements.filter((statement) => statement.includes('data_keys')).length;
    };
    expect([await keyQueries(), await keyQueries()]).toEqual([1, 0]);
  });

  it('seals many rows of new subjects: one lookup and one insert', async () => {
    vault.statements.length = 0;
    await db.user.createMany({ data: Array.from({ length: 20 }, (_, at) => person(`q${at}`)) });
    expect(vault.statements.filter((statement) => statement.includes('data_keys'))).toHaveLength(2);
  });
});

describe('rows that change between look and write [practice 7.3] [ASVS 15.4.2]', () => {
  it('gives the row to somebody else meanwhile: nothing is sealed into it', async () => {
    const [ann, eve] = [person('ann'), person('eve')];
    await db.user.createMany({ data: [ann, eve] });
    const { id } = await db.document.create(note(ann.id, 'n'));
    const wrapper = countingWrapper(() => vault.sql('UPDATE documents SET owner_id = $1 WHERE id = $2', [eve.id, id]));
    const update = vault
      .connect({ wrappers: [wrapper] })
      .document.update({ where: { id, version: 1 }, data: { note: 'for ann' } });
    await expect(update).rejects.toMatchObject({ code: 'P2025' });
  });

  it('inserts the row meanwhile that an upsert did not find: refused, and the row stays as it is', async () => {
    const ann = person('ann');
    await db.user.create({ data: ann });
    const id = randomUUIDv7();
    const insert = () =>
      vault.sql(`INSERT INTO documents (id, owner_id, title, body) VALUES ($1, $2, 'theirs', 'B')`, [id, ann.id]);
    const client = vault.connect({ wrappers: [countingWrapper(insert)] });
    const upsert = client.document.upsert({
      where: { id },
      create: { id, ...note(ann.id, 'mine').data },
      update: { title: 'mine', note: 'mine' },
    });
    await expect(upsert).rejects.toMatchObject({ code: 'P2002' });
    expect(await vault.sql('SELECT title, note FROM documents WHERE id = $1', [id])).toEqual([
      { title: 'theirs', note: null },
    ]);
  });
});

describe('keys that rotate [practice 7.3]', () => {
  it('opens, finds and writes with a new active key while old cells and indexes stay', async () => {
    const ann = person('ann');
    await db.user.create({ data: ann });
    const ring = JSON.parse(readFileSync(vault.keyRing.file, 'utf8')) as {
      keys: { id: string; purpose: string; state: string; secret: string }[];
    };
    for (const purpose of ['pii', 'blind-index']) {
      for (const key of ring.keys) if (key.purpose === purpose) key.state = 'retired';
      ring.keys.push({
        id: `${purpose}-next`,
        purpose,
        state: 'active',
        secret: randomBytes(32).toString('base64url'),
      });
    }
    writeFileSync(vault.keyRing.file, JSON.stringify(ring));
    const client = vault.connect({ keyRing: await KeyRing.load(vault.keyRing.file, purposes) });
    expect(await client.user.findFirst({ where: { email: ann.email } })).toMatchObject({ name: ann.name });
    await client.user.update({ where: { id: ann.id }, data: { email: ann.email } });
    const [row] = await vault.sql('SELECT email_index FROM users WHERE id = $1', [ann.id]);
    expect(row?.['email_index']).toMatch(/^blind-index-next\./);
    expect(await client.user.findFirst({ where: { email: ann.email } })).toMatchObject({ name: ann.name });
    const bea = person('bea');
    await client.user.create({ data: bea });
    expect(await keysOf(bea.id)).toMatchObject([{ wrapping_key: 'pii-next' }]);
  });
});
