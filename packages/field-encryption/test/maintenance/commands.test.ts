import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KeyRing } from '../../src/index.js';
import {
  cellKeyUses,
  encryptExisting,
  planRotation,
  readStatus,
  retire,
  retireBlocker,
  rotate,
  statusTable,
  verify,
  type KeyUse,
} from '../../src/maintenance/index.js';
import { purposes } from '../support/purposes.js';
import { person, Vault } from '../support/vault.js';
import { never, onlyUs, runOf, storeOf } from './store.js';

const day = 24 * 60 * 60 * 1000;

/** A ring of its own, and what is done with the keys of one of its purposes. */
async function rotation(use: KeyUse, given: { purpose?: string; ringOnly?: boolean } = {}) {
  const keyRing = await KeyRing.loadOrCreate(join(mkdtempSync(join(tmpdir(), 'ring-')), 'keys.json'), purposes);
  const lines: string[] = [];
  const { purpose = 'audit', ringOnly = false } = given;
  const print = (line: string) => void lines.push(line);
  return { purpose, use, keyRing, lock: onlyUs, print, signal: never, ringOnly, ringKnownMs: 10, lines };
}
const states = (ring: KeyRing, purpose = 'audit') => ring.all(purpose).map(({ state }) => state);

describe('keys:rotate and keys:retire of a purpose of somebody else [practice 7.3] [ASVS 11.2.2]', () => {
  it('a ring that is carried takes two steps, and moves nothing', async () => {
    const keys = await rotation({ neededMs: 0, move: () => Promise.reject(new Error('moved')) }, { ringOnly: true });
    expect(await planRotation(keys)).toBe('add a key of the purpose audit');
    await rotate(keys);
    expect(states(keys.keyRing)).toEqual(['active', 'next']);
    expect(await planRotation(keys)).toMatch(/^make audit-\w+ the active key of audit$/);
    await rotate(keys);
    expect(states(keys.keyRing)).toEqual(['active', 'retired']);
    expect(keys.lines.at(-1)).toContain('then run this without --ring-only to finish');
  });

  it('moves what the old key made; stopped before, the next run moves it and adds no further key', async () => {
    let left = 3;
    const use = {
      neededMs: 0,
      count: () => Promise.resolve(left),
      move: async () => ({ moved: left, faults: (left = 0) }),
    };
    const keys = await rotation(use);
    await rotate({ ...keys, use: { ...use, move: async () => ({ moved: 0, faults: 0 }) } });
    expect(await planRotation(keys)).toBe('move 3 entries to the active key of audit');
    expect(await rotate(keys)).toEqual({ moved: 3, faults: 0 });
    expect(states(keys.keyRing)).toEqual(['active', 'retired']);
  });

  it('a key that is held elsewhere: the ring stays as it is', async () => {
    const keys = await rotation({ neededMs: 0, isHeldElsewhere: true, move: async () => ({ moved: 1, faults: 0 }) });
    expect(await rotate(keys)).toEqual({ moved: 1, faults: 0 });
    expect(states(keys.keyRing)).toEqual(['active']);
  });

  it('an old key stays while something needs it, may need it, or it is not old', async () => {
    let count: number | undefined = 2;
    const keys = await rotation({ neededMs: day, count: () => Promise.resolve(count as number) });
    const [{ id } = { id: '' }] = keys.keyRing.all('audit');
    expect(await retireBlocker(keys, 'audit-none', true)).toContain('no such key');
    expect(await retireBlocker(keys, id, true)).toContain('it is the active key');
    await rotate(keys);
    expect(await retireBlocker(keys, id, true)).toBe('2 entries need it');
    count = 0;
    expect(await retireBlocker(keys, id, true)).toContain('may be good until');
    count = undefined;
    expect(await retireBlocker(keys, id, false)).toContain('may be good until');
    expect(await retireBlocker(keys, id, true)).toBeUndefined();
    const text = readFileSync(keys.keyRing.file, 'utf8').replace(/"retiredAt": "[^"]*"/, '"retiredAt": "2020-01-01"');
    writeFileSync(keys.keyRing.file, text);
    await keys.keyRing.reload();
    expect(await retireBlocker(keys, id, false)).toBeUndefined();
    await retire(keys, id);
    expect(states(keys.keyRing)).toEqual(['active']);
  });
});

describe('commands on cells [practice 7.3] [ASVS 11.3.3]', () => {
  let vault: Vault;
  const ann = person('ann');
  beforeAll(async () => {
    vault = await Vault.open();
    await vault.connect().user.create({ data: ann });
    await vault.release();
  });
  afterAll(() => vault.close());

  it('rotates the keys that wrap data keys, and that of the index: everything is moved, and counted', async () => {
    const { store, close } = storeOf(vault);
    const run = runOf(store);
    for (const purpose of ['pii', 'blind-index'] as const) {
      const keys = { ...(await rotation(cellKeyUses(run)[purpose], { purpose })), keyRing: vault.keyRing };
      expect(await rotate(keys)).toEqual({ moved: 1, faults: 0 });
      expect(await retireBlocker(keys, vault.keyRing.all(purpose)[1]?.id ?? '', false)).toContain('may be good until');
    }
    const status = await readStatus(run);
    expect(status.fields['User.email']).toEqual({ cells: 1, retiredKey: 0, retiredIndex: 0 });
    expect(statusTable(status)).toMatch(new RegExp(`pii +active +local +${vault.keyRing.active('pii').id} +1`));
    await close();
  });

  it('keys:verify says what is wrong by its place, and ends with 1; --json for machines', async () => {
    const { store, close } = storeOf(vault);
    const [run, json] = [runOf(store), runOf(store)];
    expect([await verify(run, false), run.lines.at(-1)]).toEqual([0, 'opened 3 cells, 0 faults']);
    await vault.sql('UPDATE users SET name = phone');
    expect([await verify(run, false), run.lines.at(-1)]).toEqual([1, `User.name ${ann.id} broken-cell`]);
    expect([await verify(json, true), JSON.parse(json.lines.join(''))]).toMatchObject([1, { faultCount: 1 }]);
    await close();
  });

  it('keys:encrypt-existing: a dry run says what it would do, and records nothing', async () => {
    await vault.sql('ALTER TABLE users DROP CONSTRAINT users_phone_check');
    await vault.sql(`UPDATE users SET phone = '+41 44'`);
    const { store, close } = storeOf(vault);
    const run = runOf(store);
    await encryptExisting(run, { dryRun: true });
    expect([run.lines[0], run.records]).toEqual(['would seal 1 values', []]);
    await encryptExisting(run, { dryRun: false });
    expect(run.records).toMatchObject([{ command: 'keys:encrypt-existing', sealed: 1 }]);
    await close();
  });
});
