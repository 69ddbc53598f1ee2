import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { KeyRing } from '../../src/index.js';
import { addNext, drop, KeyRingEditor, promote } from '../../src/keys/key-ring-editor.js';
import { purposes } from '../support/purposes.js';
import { onlyUs } from './store.js';

async function newRing(): Promise<{ file: string; ring: KeyRing }> {
  const file = join(mkdtempSync(join(tmpdir(), 'ring-')), 'keys.json');
  return { file, ring: await KeyRing.loadOrCreate(file, purposes) };
}
const states = (ring: KeyRing) => ring.all('pii').map(({ state }) => state);
/** As another process does it, which has its own view of the ring. */
const edit = async (file: string, ...changes: Parameters<KeyRingEditor['edit']>[0][]) =>
  KeyRingEditor.with(await KeyRing.load(file, purposes), onlyUs, async (editor) => {
    for (const change of changes) await editor.edit(change);
  });

describe('changing the key ring [practice 7.3] [ASVS 11.1.1] [ASVS 13.3.4]', () => {
  it('adds a key that is known before it is used, then makes it active; the old one still opens', async () => {
    const { file, ring } = await newRing();
    const old = ring.active('pii').id;
    await edit(file, addNext('pii'));
    expect(await ring.reload()).toBe(true);
    expect([ring.active('pii').id, states(ring)]).toEqual([old, ['active', 'next']]);
    await edit(file, promote('pii'));
    expect([await ring.reload(), states(ring)]).toEqual([true, ['active', 'retired']]);
    expect(ring.active('pii').id).not.toBe(old);
    expect(ring.find('pii', old)).toBeDefined();
    expect(ring.all('pii')[1]?.retiredAt).toBeInstanceOf(Date);
    expect(await ring.reload()).toBe(false);
  });

  it('keeps mode and symbolic link, and leaves neither draft nor lock', async () => {
    const { file } = await newRing();
    chmodSync(file, 0o400);
    const link = join(file, '..', 'link.json');
    symlinkSync(file, link);
    await edit(link, addNext('audit'));
    expect(statSync(file).mode & 0o777).toBe(0o400);
    expect(readdirSync(join(file, '..')).toSorted()).toEqual(['keys.json', 'link.json']);
    expect((await KeyRing.load(link, purposes)).all('audit')).toHaveLength(2);
  });

  it('would leave a purpose without an active key: refused, and the file stays', async () => {
    const { file, ring } = await newRing();
    const before = readFileSync(file, 'utf8');
    await expect(edit(file, drop('pii', ring.active('pii').id))).rejects.toThrow('no active key of the purpose pii');
    expect(readFileSync(file, 'utf8')).toBe(before);
  });

  it('knows the changed keys at once, in the process that changed them', async () => {
    const { ring } = await newRing();
    await KeyRingEditor.with(ring, onlyUs, (editor) => editor.edit(addNext('pii')));
    expect(states(ring)).toEqual(['active', 'next']);
  });

  it('another holds the lock, or takes it away meanwhile: nothing is written', async () => {
    const { file, ring } = await newRing();
    const before = readFileSync(file, 'utf8');
    const held = { ...onlyUs, take: () => Promise.resolve('process 7') };
    await expect(KeyRingEditor.with(ring, held, (editor) => editor.edit(addNext('pii')))).rejects.toThrow(
      `process 7 is changing the key ring: wait for it, or remove ${file}.lock`,
    );
    const lost = { ...onlyUs, holds: () => false };
    await expect(KeyRingEditor.with(ring, lost, (editor) => editor.edit(addNext('pii')))).rejects.toThrow(
      'the lock was taken away',
    );
    expect(readFileSync(file, 'utf8')).toBe(before);
  });

  it.each(['removed', 'readable by others'])('the file is %s: refused, and the keys stay', async (fault) => {
    const { file, ring } = await newRing();
    const before = ring.active('pii').id;
    if (fault === 'removed') rmSync(file);
    else chmodSync(file, 0o644);
    await expect(ring.reload()).rejects.toThrow(file);
    expect(await ring.reload()).toBe(false);
    expect(ring.active('pii').id).toBe(before);
  });
});
