import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { LocalKeyWrapper } from '../../src/keys/key-wrapper.js';
import { DataKeyCache, type KeyWrapper } from '../../src/index.js';
import type { Run } from '../../src/maintenance/index.js';
import { reencrypt } from '../../src/maintenance/reencryption.js';
import { countWrappedOtherwise, rewrap } from '../../src/maintenance/rewrap.js';
import { sweep } from '../../src/maintenance/sweep.js';
import { verifying } from '../../src/maintenance/tasks.js';
import { person, Vault, type TestClient } from '../support/vault.js';
import { never, runOf, storeOf } from './store.js';

let vault: Vault;
let db: TestClient;
beforeAll(async () => {
  vault = await Vault.open();
});
afterEach(() => vault.release());
afterAll(() => vault.close());

/** As the service, but with keys that are forgotten after a second: the test need not wait for a minute. */
const service = () => vault.connect({ cache: new DataKeyCache({ maxKeys: 1000, maxAgeSeconds: 1 }) });
const waits = { forgotten: 1_500, read: 300 };
const run = async (signal = never, before = new Date(Date.now() + 1000)) => {
  const { store, close } = storeOf(vault);
  return reencrypt(runOf(store, { signal }), { before, waits }).finally(close);
};
const faults = async () => {
  const { store, close } = storeOf(vault);
  return sweep(store, verifying(store), { signal: never }).finally(close);
};
const retired = () => vault.sql(`SELECT * FROM data_keys WHERE state = 'retired'`);

async function people(count: number) {
  const made = Array.from({ length: count }, (_, at) => person(`p${at}`));
  await db.user.createMany({ data: made });
  return made;
}

describe('new data keys [practice 7.3] [ASVS 11.2.2]', () => {
  it('gives everybody a new key, seals all anew, destroys the old keys; a cell of before opens no more', async () => {
    db = service();
    const [ann] = await people(30);
    const [before] = await vault.sql('SELECT email, updated_at::text, version::text FROM users WHERE id = $1', [
      ann?.id,
    ]);
    const report = await run();
    expect(report).toMatchObject({ rekeyed: 30, resealed: 90, destroyed: 30, stopped: false });
    expect(
      await vault.sql('SELECT count(*)::int AS count, count(DISTINCT subject)::int AS subjects FROM data_keys'),
    ).toEqual([{ count: 30, subjects: 30 }]);
    expect(await service().user.findFirst({ where: { email: ann?.email } })).toMatchObject({ ...ann });
    const [after] = await vault.sql('SELECT email, updated_at::text, version::text FROM users WHERE id = $1', [
      ann?.id,
    ]);
    expect(after).toEqual({ ...before, email: expect.not.stringContaining(String(before?.['email'])) });
    await vault.sql('UPDATE users SET email = $1 WHERE id = $2', [before?.['email'], ann?.id]);
    await expect(service().user.findUnique({ where: { id: ann?.id } })).rejects.toMatchObject({ code: 'unknown-key' });
    await vault.sql('DELETE FROM users WHERE id = $1', [ann?.id]);
  });

  it('runs beside live writes of clients with the old keys: every write is kept, nothing is lost', async () => {
    const [one, two] = [service(), service()];
    db = one;
    const everybody = await people(20);
    const written = new Map<string, string>();
    const state = { running: true };
    const writer = async (client: TestClient, at: number) => {
      for (let count = 0; state.running; count++) {
        const who = everybody[(count * 2 + at) % everybody.length] as { id: string };
        const name = `${at} wrote ${count}`;
        await client.user.update({ where: { id: who.id }, data: { name } });
        written.set(who.id, name);
        expect((await client.user.findUnique({ where: { id: who.id } }))?.name).toBe(name);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      return 1;
    };
    const writers = [writer(one, 0), writer(two, 1)];
    const report = await run();
    state.running = false;
    await Promise.all(writers);
    expect([report.rekeyed >= 20, report.destroyed]).toEqual([true, report.rekeyed]);
    for (const [id, name] of written) expect((await two.user.findUnique({ where: { id } }))?.name).toBe(name);
    expect((await faults()).faultCount).toBe(0);
  }, 60_000);

  it('is stopped half-way and run again: goes on where it was, nobody gets a third key', async () => {
    db = service();
    await people(1000);
    const stop = new AbortController();
    const { store, close } = storeOf(vault);
    const halfWay: Run['during'] = (_, work) =>
      work((done, total = 0) => void (done < total && total > 2000 && stop.abort()));
    const first = await reencrypt(runOf(store, { signal: stop.signal, during: halfWay }), {
      before: new Date(Date.now() + 1000),
      waits,
    });
    await close();
    expect(first).toMatchObject({ stopped: true, destroyed: 0 });
    expect(first.resealed).toBeGreaterThan(0);
    expect((await faults()).faultCount).toBe(0);
    const second = await run();
    expect(second).toMatchObject({ rekeyed: 0, stopped: false });
    expect(second.destroyed).toBe(first.rekeyed);
    expect((await faults()).faultCount).toBe(0);
    expect(await retired()).toEqual([]);
  }, 60_000);

  it('two copies at once: one new key each, every cell opens', async () => {
    db = service();
    const [ann] = await people(50);
    const reports = await Promise.all([run(), run()]);
    const subjects = await vault.sql<{ count: number }>('SELECT count(DISTINCT subject)::int AS count FROM data_keys');
    expect(reports.reduce((sum, { rekeyed }) => sum + rekeyed, 0)).toBe(subjects[0]?.count);
    expect(await retired()).toEqual([]);
    expect(await service().user.findUnique({ where: { id: ann?.id } })).toMatchObject({ ...ann });
    expect((await faults()).faultCount).toBe(0);
  }, 60_000);

  it('keeps the key of a cell that does not open: whoever mends the cell can still read it', async () => {
    db = service();
    const [ann, bea] = await people(2);
    const cell = async (id?: string) => (await vault.sql('SELECT phone FROM users WHERE id = $1', [id]))[0]?.['phone'];
    const [own, foreign] = [await cell(ann?.id), await cell(bea?.id)];
    await vault.sql('UPDATE users SET phone = $1 WHERE id = $2', [foreign, ann?.id]);
    await vault.sql('UPDATE users SET phone = $1 WHERE id = $2', [own, bea?.id]);
    const report = await run();
    expect(report.sweep).toMatchObject({ faultCount: 2 });
    expect(await retired()).toHaveLength(2);
    await vault.sql('UPDATE users SET phone = $1 WHERE id = $2', [own, ann?.id]);
    await vault.sql('UPDATE users SET phone = $1 WHERE id = $2', [foreign, bea?.id]);
    await run();
    expect(await retired()).toEqual([]);
    expect(await service().user.findUnique({ where: { id: bea?.id } })).toMatchObject({ ...bea });
  }, 60_000);

  it('a person is erased while they get a new key: no key of theirs is left', async () => {
    db = service();
    const [ann] = await people(1);
    const { store, close } = storeOf(vault);
    const step = async (name: string) => {
      if (name !== 'sealing anew') return;
      // Erasure's statement, whose snapshot was taken before the new key was there.
      await vault.sql(
        `UPDATE data_keys SET state = 'destroyed', wrapped = NULL, destroyed_at = now()
         WHERE subject = $1 AND state = 'retired'`,
        [ann?.id],
      );
      await vault.sql('DELETE FROM users WHERE id = $1', [ann?.id]);
    };
    const run = runOf(store, { warn: (line) => void step(line) });
    await reencrypt(run, { before: new Date(Date.now() + 1000), waits });
    await close();
    expect(
      await vault.sql(`SELECT state FROM data_keys WHERE subject = $1 AND state <> 'destroyed'`, [ann?.id]),
    ).toEqual([]);
  }, 60_000);
});

describe('data keys that are wrapped anew [practice 7.3]', () => {
  it('moves to another key-encryption key, beside an erasure: never brings a destroyed key back', async () => {
    db = service();
    const [ann, bea] = await people(2);
    const local = new LocalKeyWrapper(vault.keyRing);
    const elsewhere: KeyWrapper = {
      name: 'elsewhere',
      unwrap: (key, context) => local.unwrap({ ...key, wrappingKey: vault.keyRing.active('pii').id }, context),
      async wrap(secret, context) {
        // Erased after the key was read, before it is written back.
        if (context.subject === ann?.id)
          await vault.sql(
            `UPDATE data_keys SET state = 'destroyed', wrapped = NULL, destroyed_at = now() WHERE subject = $1`,
            [ann.id],
          );
        return { ...(await local.wrap(secret, context)), wrappingKey: 'their-key' };
      },
    };
    const { store, close } = storeOf(vault, [elsewhere, local]);
    const report = await rewrap(store, 'pii', { signal: never });
    expect([report.raced, report.broken, await countWrappedOtherwise(store, 'pii')]).toEqual([1, [], 0]);
    await close();
    expect(await vault.sql('SELECT wrapped, state FROM data_keys WHERE subject = $1', [ann?.id])).toEqual([
      { wrapped: null, state: 'destroyed' },
    ]);
    const client = vault.connect({ wrappers: [elsewhere, local] });
    expect(await client.user.findUnique({ where: { id: bea?.id } })).toMatchObject({ ...bea });
  });
});
