import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { endBeside } from '../../../cli/ends.js';
import { Trail } from './trail.js';

let trail: Trail;
let restore: () => Promise<void>;
let files = 0;

beforeAll(async () => {
  trail = await Trail.start();
  restore = await trail.copy();
});
afterAll(() => trail.close());
beforeEach(() => restore());

const end = endBeside(() => trail.app);
const exported = (...more: string[]) =>
  end('audit:export', ['--format', 'jsonl', '--out', join(trail.app.dataDirectory, `${++files}.jsonl`), ...more]);
const count = async (where: string) =>
  (await trail.app.sql<{ count: number }>(`SELECT count(*)::int AS count FROM ${where}`))[0]?.count;

/** Old ones that were sealed then, and young ones. */
async function written(): Promise<void> {
  await trail.write('success', 5, 401);
  await trail.write('denied', 5, 91);
  await trail.seal(91);
  await trail.write('success', 3);
  await trail.write('denied', 2);
  await trail.seal();
}

describe('retention of a sealed trail [practice 10.4] [ASVS 14.2.7]', () => {
  it('what was not exported stays, and the command says so', async () => {
    await written();
    const output = expect.stringMatching(/^deleted 0 refusals .* and 0 changes.*\nchanges: older ones stay/m) as string;
    expect(await end('audit:prune')).toMatchObject({ code: 0, output });
    expect(await count('audit_events')).toBe(15);
  });

  it('exported: the old beginning of each stream goes, and the trail is sound from its anchors', async () => {
    await written();
    const before = await trail.app.sql<{ note: string }>('SELECT note FROM audit_checkpoints');
    expect(await exported()).toMatchObject({ code: 0 });
    const output = expect.stringMatching(/^deleted 5 refusals .* and 5 changes older than 400 days\n$/m) as string;
    expect(await end('audit:prune')).toMatchObject({ code: 0, output });
    expect(await count('audit_links')).toBe(5);
    const notes = await trail.app.sql<{ note: string }>('SELECT note FROM audit_anchors ORDER BY stream');
    expect(notes.map(({ note }) => note)).toEqual([
      expect.stringMatching(/\/audit\/changes\/anchor\n5\n\S{44}\ncount 5\nnewest \S+\ntime \S+\n\n/),
      expect.stringMatching(/\/audit\/refusals\/anchor\n5\n/),
    ]);
    await trail.seal();
    expect(await trail.verify()).toMatchObject({ code: 0, events: 7, findings: [] });
    expect(before.length).toBe(4);
    // What the command wrote was sealed behind the young ones: nothing begins anew.
    expect(await count(`audit_links WHERE stream = 'changes' AND seq = 10`)).toBe(1);
  });

  it('an export that nobody signed, or that leaves a gap, counts for nothing', async () => {
    await written();
    await exported();
    await trail.tamper(`UPDATE audit_exports SET note = replace(note, 'first 1', 'first 0')`);
    expect((await end('audit:prune')).output).toMatch(/^deleted 0 refusals .* and 0 changes/m);
    expect(await count('audit_events')).toBe(15);
  });

  it('the anchor is taken away: the beginning is missing', async () => {
    await written();
    await exported();
    await end('audit:prune');
    await trail.tamper(`DELETE FROM audit_anchors`);
    const { code, findings } = await trail.verify();
    const gaps = findings.filter(({ what }) => what === 'the links 1 to 5 are missing');
    expect([code, gaps.map(({ stream, seq }) => `${stream} ${seq}`)]).toEqual([1, ['changes 6', 'refusals 6']]);
  });

  it('a changed event among the old: nothing is deleted, for it is evidence', async () => {
    await written();
    await exported();
    await trail.tamper(`UPDATE audit_events SET mac = 'x' WHERE at < now() - interval '400 days'`);
    await expect(end('audit:prune')).rejects.toThrow('the trail was tampered with');
    expect(await count('audit_links')).toBe(15);
  });

  it('seals of the last 30 days stay, whoever asks, and nothing is changed [ASVS 16.4.2]', async () => {
    await written();
    for (const table of ['audit_links', 'audit_checkpoints', 'audit_anchors', 'audit_exports']) {
      for (const statement of [`UPDATE ${table} SET seq = seq`, `DELETE FROM ${table}`, `TRUNCATE ${table}`])
        await expect(trail.app.sql(statement)).rejects.toThrow('audit events are append-only');
    }
    await expect(
      trail.app.sql(`BEGIN; SET LOCAL audit.pruning = 'on'; DELETE FROM audit_links; COMMIT`),
    ).rejects.toThrow('audit events are append-only');
  });

  it('after a rotation of its key: sound, and the old key is kept as long as its notes are', async () => {
    await written();
    expect(await end('keys:rotate', ['audit-checkpoint'])).toMatchObject({ code: 0 });
    await trail.write('success', 1);
    await trail.seal();
    expect(await count('(SELECT DISTINCT key_id FROM audit_checkpoints) keys')).toBe(2);
    expect(await trail.verify()).toMatchObject({ code: 0, checkpoints: 5, findings: [] });
    const [row] = await trail.app.sql<{ key_id: string }>('SELECT key_id FROM audit_checkpoints ORDER BY at LIMIT 1');
    expect(await end('keys:retire', ['audit-checkpoint', row?.key_id ?? ''])).toMatchObject({ code: 1 });
  });
});
