import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Checkpoint } from '../../../../src/security/audit/audit-seals/sealer.js';
import { Trail, type Verified } from './trail.js';

let trail: Trail;
let ids: string[];
let kept: Checkpoint[];
let restore: () => Promise<void>;

beforeAll(async () => {
  trail = await Trail.start();
  ids = await trail.write('success', 6);
  await trail.write('denied', 4);
  kept = await trail.seal();
});
afterAll(() => trail.close());
beforeEach(async () => {
  restore = await trail.copy();
});
afterEach(() => restore());

/** The findings, each as `stream seq: what`. */
const told = ({ findings }: Verified) => findings.map(({ stream, seq, what }) => `${stream} ${seq}: ${what}`);
const fileWith = (text: string): string => {
  const file = join(trail.app.dataDirectory, 'checkpoints.txt');
  writeFileSync(file, text);
  return file;
};
const changes = () => kept.find(({ stream }) => stream === 'changes')?.note ?? '';
const noMac = expect.stringContaining('the MAC does not hold') as string;
const otherHash = expect.stringContaining('its checkpoint says another hash') as string;

describe('whoever owns the database changes the trail [practice 10.4] [ASVS 16.4.2]', () => {
  it('changes nothing: it is sound', async () => {
    expect(await trail.verify()).toMatchObject({ code: 0, events: 10, checkpoints: 2, unsealed: 0, findings: [] });
    for (const { note } of kept) expect(await trail.verify('--since', fileWith(note))).toMatchObject({ code: 0 });
  });

  it.each([
    ['at', `at + interval '1 second'`],
    ['action', `'other'`],
    ['outcome', `'failure'`],
    ['actor_id', 'id'],
    ['session_id', 'id'],
    ['actor_kind', `'machine'`],
    ['machine_id', 'id'],
    ['target_type', `'other'`],
    ['target_id', `'other'`],
    ['request_id', `'other'`],
    ['network', `'other'`],
    ['details', `'{"more":1}'`],
    // What is no time and no object must not stop the search either.
    ['at', `'infinity'`],
    ['at', `'10000-01-01'`],
    ['details', `'null'`],
    ['details', `'[]'`],
    ['mac_key_id', `'other'`],
    ['mac', `CASE left(mac, 1) WHEN 'x' THEN 'y' ELSE 'x' END || substr(mac, 2)`],
  ])('edits %s of an event: named', async (column, value) => {
    await trail.tamper(`UPDATE audit_events SET ${column} = ${value} WHERE id = '${ids[2]}'`);
    const verified = await trail.verify();
    expect(verified.code).toBe(1);
    expect(verified.findings).toContainEqual({ stream: 'changes', seq: 3, event: ids[2], what: noMac });
  });

  it('every column is in that list', async () => {
    const columns = await trail.app.sql(
      `SELECT FROM information_schema.columns WHERE table_name = 'audit_events' AND column_name <> 'id'`,
    );
    expect(columns).toHaveLength(14);
  });

  it('deletes an event, or the event and its link', async () => {
    await trail.tamper(`DELETE FROM audit_events WHERE id = '${ids[2]}'`);
    expect(told(await trail.verify())).toEqual(['changes 3: its event is missing']);
    await trail.tamper(`DELETE FROM audit_links WHERE event_id = '${ids[2]}'`);
    expect(told(await trail.verify())).toEqual(['changes 4: the links 3 to 3 are missing']);
  });

  it('puts in an event without the key', async () => {
    await trail.tamper(`INSERT INTO audit_events SELECT gen_random_uuid(), at, 'user_created', outcome, actor_id,
      session_id, actor_kind, machine_id, target_type, target_id, request_id, network, details, mac_key_id, mac
      FROM audit_events WHERE id = '${ids[2]}'`);
    expect(told(await trail.verify())).toEqual([expect.stringContaining('it was not written by the service')]);
    await trail.seal();
    expect(told(await trail.verify())).toEqual([noMac]);
  });

  it('takes an old event out of the chain, or brings one back: it is old and has no link', async () => {
    const [old] = await trail.write('success', 1, 1);
    const verified = await trail.verify();
    expect([verified.code, verified.findings]).toEqual([
      1,
      [{ stream: 'changes', seq: null, event: old, what: expect.stringContaining('has no link') }],
    ]);
  });

  it('swaps two events', async () => {
    const none = '00000000-0000-7000-8000-000000000001';
    for (const [before, after] of [
      [ids[1], none],
      [ids[2], ids[1]],
      [none, ids[2]],
    ])
      await trail.tamper(`UPDATE audit_links SET event_id = '${after}' WHERE event_id = '${before}'`);
    expect(told(await trail.verify())).toEqual([
      startingWith('changes 2: it does'),
      startingWith('changes 3: it does'),
    ]);
  });

  it('edits a link', async () => {
    await trail.tamper(`UPDATE audit_links SET hash = sha256(hash) WHERE stream = 'changes' AND seq = 3`);
    expect(told(await trail.verify())).toEqual([
      startingWith('changes 3: it does'),
      startingWith('changes 4: it does'),
    ]);
  });

  it('changes the last event and makes its link anew, as anybody can: the checkpoint says another hash', async () => {
    await trail.tamper(`DELETE FROM audit_links WHERE stream = 'changes' AND seq = 6;
      DELETE FROM audit_events WHERE id = '${ids[5]}'; DELETE FROM audit_checkpoints WHERE stream = 'changes'`);
    await trail.write('success', 1);
    await trail.sealer().sealAll();
    await trail.tamper(`INSERT INTO audit_checkpoints VALUES ('changes', 6, 'k', $$${changes()}$$, now())`);
    expect(told(await trail.verify())).toEqual([otherHash]);
  });

  it('forges a checkpoint, or puts one of another place there', async () => {
    const forged = changes().replace(/^\d+$/m, '5');
    await trail.tamper(`DELETE FROM audit_checkpoints WHERE stream = 'changes';
      INSERT INTO audit_checkpoints VALUES ('changes', 5, 'k', $$${forged}$$, now())`);
    expect(told(await trail.verify())).toEqual(['changes 5: the signature of its checkpoint does not hold']);
    await trail.tamper(`UPDATE audit_checkpoints SET note = $$${changes()}$$ WHERE stream = 'changes'`);
    expect(told(await trail.verify())).toEqual(['changes 5: the signature of its checkpoint does not hold']);
    await expect(trail.verify('--since', fileWith(forged))).rejects.toThrow('no key of the ring has signed');
  });

  it('puts a checkpoint in the place of an anchor, and deletes all before it', async () => {
    await trail.tamper(`DELETE FROM audit_events; DELETE FROM audit_links; DELETE FROM audit_checkpoints;
      INSERT INTO audit_anchors VALUES ('changes', 6, 'k', $$${changes()}$$, now())`);
    expect(told(await trail.verify())).toEqual(['changes 6: the signature of its anchor does not hold']);
  });
});

describe('whoever owns the database goes back in time [practice 10.4] [ASVS 16.4.2]', () => {
  const inPieces = (note: string): string =>
    JSON.stringify({ 'event.action': 'audit_checkpoint', 'audit.checkpoint': note.match(/[^]{1,32}/g) });

  it('cuts the end, while its checkpoint is there', async () => {
    await trail.tamper(`DELETE FROM audit_links WHERE seq > 4; DELETE FROM audit_events WHERE id >= '${ids[4]}'
      AND outcome = 'success'`);
    expect(told(await trail.verify())).toEqual([
      startingWith('changes 6: its checkpoint says another hash, or the link'),
    ]);
  });

  it('deletes everything: the database alone is sound, and a checkpoint of the log tells', async () => {
    await trail.tamper('DELETE FROM audit_events; DELETE FROM audit_links; DELETE FROM audit_checkpoints');
    expect(await trail.verify()).toMatchObject({ code: 0, events: 0 });
    const lines = kept.map(({ note }) => inPieces(note)).join('\n');
    const verified = await trail.verify('--since', fileWith(`{"message":"another line"}\n${lines}\n`));
    const lost = 'the checkpoint that was kept elsewhere is not in the trail';
    expect(told(verified)).toEqual([startingWith(`changes 6: ${lost}`), startingWith(`refusals 4: ${lost}`)]);
  });

  it('brings an old copy back: a later checkpoint tells', async () => {
    await trail.write('success', 3);
    const [later] = await trail.seal();
    await restore();
    expect(await trail.verify()).toMatchObject({ code: 0 });
    const verified = await trail.verify('--since', fileWith(later?.note ?? ''));
    expect([verified.code, told(verified)]).toEqual([
      1,
      [startingWith('changes 9: the checkpoint that was kept else')],
    ]);
  });

  it('makes the chain anew from the beginning: a checkpoint of before tells', async () => {
    await trail.tamper(`DELETE FROM audit_links; DELETE FROM audit_checkpoints;
      DELETE FROM audit_events WHERE id = '${ids[0]}'`);
    await trail.write('success', 1);
    await trail.seal();
    expect(await trail.verify()).toMatchObject({ code: 0 });
    expect(told(await trail.verify('--since', fileWith(changes())))).toEqual([
      expect.stringContaining('the hash there is another one'),
    ]);
  });
});

const startingWith = (text: string) => expect.stringMatching(new RegExp(`^${RegExp.escape(text)}`)) as string;
