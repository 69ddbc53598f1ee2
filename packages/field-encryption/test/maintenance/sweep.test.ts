import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { purposes } from '../support/purposes.js';
import { KeyRing } from '../../src/index.js';
import { addNext, KeyRingEditor, promote } from '../../src/maintenance/index.js';
import { countIndexed } from '../../src/maintenance/key-uses.js';
import { sweep, sweepUntilDone } from '../../src/maintenance/sweep.js';
import { adopting, reindexing, verifying } from '../../src/maintenance/tasks.js';
import { person, Vault, type TestClient } from '../support/vault.js';
import { never, onlyUs, storeOf } from './store.js';

let vault: Vault;
let db: TestClient;
const vaults: Vault[] = [];
beforeEach(async () => {
  vault = await Vault.open();
  vaults.push(vault);
  db = vault.connect();
});
afterEach(() => vault.release());
afterAll(() => Promise.all(vaults.map((each) => each.close())));

const withStore = async <T>(work: (store: ReturnType<typeof storeOf>['store']) => Promise<T>): Promise<T> => {
  const { store, close } = storeOf(vault);
  return work(store).finally(close);
};
const verify = () => withStore((store) => sweep(store, verifying(store), { signal: never }));
const adopt = (dryRun = false) =>
  withStore((store) => sweepUntilDone(store, adopting(store, dryRun), { signal: never, dryRun }));
const reindex = () => withStore((store) => sweepUntilDone(store, reindexing(store), { signal: never }));
const rotateIndexKey = async () => {
  await KeyRingEditor.with(vault.keyRing, onlyUs, async (editor) => {
    await editor.edit(addNext('blind-index'));
    await editor.edit(promote('blind-index'));
  });
};
const dropChecks = async (...columns: string[]) => {
  for (const column of columns) await vault.sql(`ALTER TABLE users DROP CONSTRAINT users_${column}_check`);
};

describe('keys:verify [practice 7.3] [ASVS 11.3.3]', () => {
  it('reads everything and finds nothing', async () => {
    await db.user.createMany({ data: [person('ann'), person('bea')] });
    const report = await verify();
    expect([Object.fromEntries(report.cells), report.faultCount]).toEqual([
      { 'User.email': 2, 'User.name': 2, 'User.phone': 2 },
      0,
    ]);
  });

  it('finds a bit flip, plaintext, a swapped or lone index, a lost key, each by its place and no value', async () => {
    const [ann, bea, cas, dan, eve] = ['ann', 'bea', 'cas', 'dan', 'eve'].map(person);
    await db.user.createMany({ data: [ann, bea, cas, dan, eve].map((who) => who as ReturnType<typeof person>) });
    await dropChecks('name');
    await vault.sql(
      `UPDATE users SET phone = left(phone, 60) || CASE substr(phone, 61, 1) WHEN 'A' THEN 'B' ELSE 'A' END
       || substr(phone, 62) WHERE id = $1`,
      [ann?.id],
    );
    await vault.sql(`UPDATE users SET name = 'planted' WHERE id = $1`, [bea?.id]);
    const [index] = await vault.sql('SELECT email_index FROM users WHERE id = $1', [cas?.id]);
    await vault.sql('UPDATE users SET email_index = NULL WHERE id = $1', [cas?.id]);
    await vault.sql('UPDATE users SET email_index = $1 WHERE id = $2', [index?.['email_index'], dan?.id]);
    await vault.sql('DELETE FROM data_keys WHERE subject = $1', [eve?.id]);
    const { faults, faultCount } = await verify();
    const found = faults.map(
      ({ field, rowId, code }) => `${[ann, bea, cas, dan, eve].findIndex((who) => who?.id === rowId)} ${field} ${code}`,
    );
    expect(found.toSorted()).toEqual([
      '0 phone broken-cell',
      '1 name not-a-cell',
      '2 email index-mismatch',
      '3 email index-mismatch',
      '4 email unknown-key',
      '4 name unknown-key',
      '4 phone unknown-key',
    ]);
    expect(faultCount).toBe(7);
    expect(JSON.stringify(faults)).not.toContain('planted');
  });

  it('a row is erased between row and key: no false alarm', async () => {
    const ann = person('ann');
    await db.user.create({ data: ann });
    const report = await withStore((store) => {
      const task = verifying(store);
      return sweep(
        store,
        async (cells) => {
          await vault.sql('DELETE FROM users WHERE id = $1', [ann.id]);
          await vault.sql('DELETE FROM data_keys WHERE subject = $1', [ann.id]);
          return task(cells);
        },
        { signal: never },
      );
    });
    expect(report.faultCount).toBe(0);
  });
});

describe('keys:rotate blind-index [practice 7.3]', () => {
  it('makes every index anew; search works before, between and after, and the old key is needed no more', async () => {
    const everybody = Array.from({ length: 20 }, (_, at) => person(`p${at}`));
    await db.user.createMany({ data: everybody });
    const old = vault.keyRing.active('blind-index').id;
    await rotateIndexKey();
    expect(await db.user.findFirst({ where: { email: everybody[3]?.email } })).toMatchObject({ id: everybody[3]?.id });
    expect(await withStore((store) => countIndexed(store, old))).toBe(20);
    expect(await reindex()).toMatchObject({ changed: 20, faultCount: 0 });
    expect(await withStore((store) => countIndexed(store, old))).toBe(0);
    expect(await db.user.findFirst({ where: { email: everybody[3]?.email } })).toMatchObject({ id: everybody[3]?.id });
    expect((await verify()).faultCount).toBe(0);
  });

  it('does not launder an index that was copied to another row: a fault, and it stays as it is', async () => {
    const [ann, bea] = [person('ann'), person('bea')];
    await db.user.createMany({ data: [ann, bea] });
    const [index] = await vault.sql('SELECT email_index FROM users WHERE id = $1', [ann.id]);
    await vault.sql('UPDATE users SET email_index = NULL WHERE id = $1', [ann.id]);
    await vault.sql('UPDATE users SET email_index = $1 WHERE id = $2', [index?.['email_index'], bea.id]);
    await rotateIndexKey();
    expect(await reindex()).toMatchObject({ changed: 0, faultCount: 2 });
    expect((await vault.sql('SELECT email_index FROM users WHERE id = $1', [bea.id]))[0]).toEqual(index);
  });

  it('two people got the same value under the old and the new key: told, nobody is overwritten', async () => {
    const ann = person('ann');
    await db.user.create({ data: ann });
    await rotateIndexKey();
    const twin = { ...person('twin'), email: ann.email };
    await db.user.create({ data: twin });
    const report = await reindex();
    expect(report.faults).toEqual([{ model: 'User', field: 'email', rowId: ann.id, code: 'duplicate' }]);
  });
});

describe('keys:encrypt-existing [practice 7.3] [ASVS 14.2.4]', () => {
  const plaintext = async (count: number) => {
    await dropChecks('email', 'name', 'phone');
    const rows = Array.from({ length: count }, (_, at) => ({ ...person(`p${at}`), phone: at % 2 === 0 ? null : '' }));
    for (const { id, email, name, phone } of rows)
      await vault.sql('INSERT INTO users (id, email, name, phone) VALUES ($1, $2, $3, $4)', [id, email, name, phone]);
    return rows;
  };

  it('seals a table that held plaintext, with its indexes; a dry run writes nothing and makes no key', async () => {
    const rows = await plaintext(6);
    const sealedBefore = person('sealed');
    await db.user.create({ data: sealedBefore });
    await vault.sql('UPDATE users SET email_index = NULL');
    const dump = await vault.dump();
    expect(await adopt(true)).toMatchObject({ changed: 16, faultCount: 0 });
    expect(await vault.dump()).toBe(dump);
    expect(await adopt()).toMatchObject({ changed: 16, faultCount: 0 });
    const reader = vault.connect();
    for (const row of [...rows, sealedBefore])
      expect(await reader.user.findFirst({ where: { email: row.email } })).toMatchObject(row);
    await vault.release();
    for (const column of ['email', 'name', 'phone'])
      await vault.sql(`ALTER TABLE users ADD CHECK (is_sealed_cell(${column}))`);
    expect((await verify()).faultCount).toBe(0);
    expect(await adopt()).toMatchObject({ changed: 0 });
  });

  it('works while the constraint is there but not validated', async () => {
    const [row] = await plaintext(1);
    for (const column of ['email', 'name'])
      await vault.sql(`ALTER TABLE users ADD CONSTRAINT later_${column} CHECK (is_sealed_cell(${column})) NOT VALID`);
    await adopt();
    for (const column of ['email', 'name']) await vault.sql(`ALTER TABLE users VALIDATE CONSTRAINT later_${column}`);
    expect(await db.user.findUnique({ where: { id: row?.id } })).toMatchObject({ ...row });
  });

  it('a live write comes between reading and sealing: the live value is kept', async () => {
    const [row] = await plaintext(1);
    const report = await withStore(async (store) => {
      const task = adopting(store, false);
      let first = true;
      return sweepUntilDone(
        store,
        async (cells) => {
          if (first) await vault.sql(`UPDATE users SET name = 'live' WHERE id = $1`, [row?.id]);
          first = false;
          return task(cells);
        },
        { signal: never },
      );
    });
    expect(report).toMatchObject({ changed: 2, raced: 0 });
    expect(await db.user.findUnique({ where: { id: row?.id } })).toMatchObject({ name: 'live' });
  });

  it('two copies at once: everything is sealed once', async () => {
    const rows = await plaintext(40);
    await Promise.all([adopt(), adopt()]);
    for (const row of rows) expect(await db.user.findUnique({ where: { id: row.id } })).toMatchObject(row);
    expect((await verify()).faultCount).toBe(0);
  });

  it('somebody erased has plaintext left: told, and never given a new key', async () => {
    const [row] = await plaintext(1);
    await vault.sql(
      `INSERT INTO data_keys (id, purpose, subject, wrapper, wrapping_key, wrapped, state, destroyed_at)
      VALUES ('01890000-0000-7000-8000-000000000001', 'pii', $1, 'local', 'x', NULL, 'destroyed', now())`,
      [row?.id],
    );
    expect((await adopt()).faults.map(({ code }) => code)).toEqual(['destroyed-key', 'destroyed-key']);
  });
});

it('every key of the ring that is only known, not active, recognises values too [practice 7.3]', async () => {
  const ring = await KeyRing.load(vault.keyRing.file, purposes);
  await KeyRingEditor.with(ring, onlyUs, (editor) => editor.edit(addNext('blind-index')));
  expect(ring.all('blind-index').map(({ state }) => state)).toEqual(['active', 'next']);
});
