import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runExport } from '../../../../src/security/audit/audit-seals/audit-export.command.js';
import { cef } from '../../../../src/security/audit/audit-seals/formats/cef.js';
import { ocsf } from '../../../../src/security/audit/audit-seals/formats/ocsf.js';
import type { ExportRecord } from '../../../../src/security/audit/audit-seals/formats/record.js';
import type { Manifest } from '../../../../src/security/audit/audit-seals/manifest.js';
import { configOf, endBeside } from '../../../cli/ends.js';
import { Trail } from './trail.js';

let trail: Trail;
let whole: Awaited<ReturnType<typeof exported>>;
/** More than a page of changes. */
const count = 2_300;

beforeAll(async () => {
  trail = await Trail.start();
  for (let at = 0; at < count; at += 230) await trail.write('success', 230);
  await trail.write('denied', 20);
  await trail.seal();
  whole = await exported('whole');
});
afterAll(() => trail.close());

const end = endBeside(() => trail.app);
const fileOf = (name: string): string => join(trail.app.dataDirectory, name);
const exported = (name: string, ...more: string[]) =>
  end('audit:export', ['--format', 'jsonl', '--out', fileOf(name), ...more]);
const linesOf = (name: string) =>
  readFileSync(fileOf(name), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { stream: string; seq: number; event: { id: string } });
const manifestOf = (name: string) => JSON.parse(readFileSync(fileOf(`${name}.manifest.json`), 'utf8')) as Manifest;

/** A run that stops behind the first page. */
async function interrupted(name: string): Promise<void> {
  const stop = new AbortController();
  stop.abort();
  const wanted = { format: 'jsonl', out: fileOf(name), until: null, after: undefined };
  const signal = { get aborted() { return (seen += 1) > 1; } } as AbortSignal; // prettier-ignore
  let seen = 0;
  const manifest = await runExport(configOf(trail.app), trail.app.on(0).service.app, wanted, signal);
  expect([manifest.complete, manifest.spans.changes.to.seq]).toEqual([false, 2_000]);
}

describe('the export of the trail [practice 10.4] [ASVS 16.4.2]', () => {
  it('has every event once, in the order of the chain, and says in the manifest what is in it', async () => {
    expect(whole).toMatchObject({ code: 0, output: expect.stringContaining('2300 changes and 20') });
    const lines = linesOf('whole');
    expect(lines.map(({ seq }) => seq)).toEqual([...range(count), ...range(20)]);
    expect(new Set(lines.map(({ event }) => event.id)).size).toBe(count + 20);
    expect(manifestOf('whole')).toMatchObject({
      complete: true,
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      spans: { changes: { from: { seq: 0 }, to: { seq: count } }, refusals: { to: { seq: 20 } } },
      checkpoints: [expect.stringContaining(`/audit/changes\n${count}\n`), expect.stringContaining('/refusals\n20\n')],
      verifierKeys: [expect.stringMatching(/^\S+\/audit\+[0-9a-f]{8}\+\S{44}$/)],
    });
  });

  it('interrupted behind a page, and within one: the same command goes on, and the bytes are the same', async () => {
    await interrupted('resumed');
    writeFileSync(fileOf('resumed'), 'half a line of the next pa', { flag: 'a' });
    expect(await exported('resumed')).toMatchObject({ code: 0 });
    expect(readFileSync(fileOf('resumed')).equals(readFileSync(fileOf('whole')))).toBe(true);
    expect(manifestOf('resumed').sha256).toBe(manifestOf('whole').sha256);
  });

  it('behind an earlier one: what came since, and nothing twice', async () => {
    const restore = await trail.copy();
    await interrupted('before');
    await trail.write('success', 3);
    await trail.sealer().sealAll();
    // What was begun before them ends where it was to end.
    expect(await exported('before')).toMatchObject({ code: 0, output: expect.stringContaining('2300 changes') });
    expect(await exported('rest', '--after', fileOf('whole.manifest.json'))).toMatchObject({ code: 0 });
    expect(linesOf('rest').map(({ seq }) => seq)).toEqual([count + 1, count + 2, count + 3]);
    await restore();
  });

  it('until a date: what was written before', async () => {
    expect(await exported('none', '--until', '2026-01-01')).toMatchObject({ code: 0 });
    expect(readFileSync(fileOf('none'), 'utf8')).toBe('');
  });

  it('never writes over another file, nor goes on as another format', async () => {
    await expect(exported('whole')).rejects.toThrow('is a complete export');
    writeFileSync(fileOf('mine'), 'mine');
    await expect(exported('mine')).rejects.toThrow('is there already');
    await interrupted('begun');
    await expect(end('audit:export', ['--format', 'cef', '--out', fileOf('begun')])).rejects.toThrow(
      'another --format',
    );
    for (const args of [
      ['--format', 'xml', '--out', 'x'],
      ['--format', 'cef'],
      ['--format', 'cef', '--until', 'soon'],
    ])
      await expect(end('audit:export', args)).rejects.toThrow('usage: audit:export');
  });

  it('a trail that was tampered with: nothing behind the place is exported', async () => {
    const restore = await trail.copy();
    await trail.tamper(`UPDATE audit_events SET action = 'x' WHERE outcome = 'denied'`);
    await expect(exported('tampered')).rejects.toThrow(/refusals 1: .*MAC does not hold/);
    await restore();
  });
});

const range = (length: number): number[] => Array.from({ length }, (_, index) => index + 1);
const recordOf = (more: object): ExportRecord => ({
  stream: 'refusals',
  seq: 7,
  hash: Buffer.alloc(32, 1),
  event: {
    id: '0198-x', at: new Date(1_000), action: 'authz_fail', outcome: 'denied', actorId: 'ann', sessionId: null,
    actorKind: 'person', machineId: null, targetType: 'Sample', targetId: 's1', requestId: 'r1', network: '10.0.0.1',
    details: {}, macKeyId: 'k', mac: 'm', ...more,
  },
}); // prettier-ignore

describe('what a client wrote begins no entry of its own [practice 10.4] [ASVS 16.4.1]', () => {
  const evil = 'x\nCEF:0|v|p|1|user_deleted|forged|10|act=user_deleted outcome=success\r\u2028\u0085\u0000\\= y';

  it('CEF: `=`, `\\` and newlines of values are escaped, and there is one line', () => {
    const line = cef(recordOf({ targetId: evil, details: { reason: evil } }));
    // eslint-disable-next-line no-control-regex
    expect(line).not.toMatch(/[\u0000-\u001f\u0085\u2028]/);
    expect(line).toContain(String.raw`cs2=Sample x\nCEF:0|v|p|1|user_deleted|forged|10|act\=user_deleted outcome\=`);
    expect(line).toContain(String.raw`\r   \\\= y`);
    expect(line.match(/(?<!\\)\bact=/g)).toHaveLength(1);
  });

  it('CEF: `|`, `\\` and newlines of the header are escaped', () => {
    const line = cef(recordOf({ action: 'a|b\\c\nd' }));
    expect(line).toMatch(/^CEF:0\|nestjs-secure-template\|audit\|1\|a\\\|b\\\\c d\|a\\\|b\\\\c d\|5\|rt=1000 /);
  });

  it('OCSF: one line of JSON', () => {
    expect(ocsf(recordOf({ targetId: evil }))).not.toContain('\n');
  });
});

describe('OCSF classes', () => {
  it.each([
    ['authn_login_success', 3002, 1],
    ['authn_token_reuse', 3002, 99],
    ['user_created', 3001, 1],
    ['user_deleted', 3001, 6],
    ['authn_password_change', 3001, 3],
    ['authz_fail', 6003, 99],
    ['sensitive_update', 6003, 3],
    ['constructor', 6003, 99],
  ])('%s is of the class %i, activity %i', (action, uid, activity) => {
    const event = JSON.parse(ocsf(recordOf({ action }))) as Record<string, unknown>;
    expect(event).toMatchObject({
      class_uid: uid,
      category_uid: Math.floor(uid / 1000),
      activity_id: activity,
      type_uid: uid * 100 + activity,
      time: 1_000,
      status_id: 2,
      metadata: { uid: '0198-x', sequence: 7, correlation_uid: 'r1' },
      actor: { user: { uid: 'ann' } },
      src_endpoint: { ip: '10.0.0.1' },
    });
  });
});
