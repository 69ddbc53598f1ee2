import { randomUUID } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Logger } from '@nestjs/common';
import { KeyRing } from '../../../../src/security/data-protection/index.js';
import { addNext, drop, KeyRingEditor, promote } from '../../../../src/security/data-protection/maintenance/index.js';
import { KeyRingReload } from '../../../../src/security/data-protection/maintenance/key-ring-reload.js';

async function newRing(): Promise<{ file: string; ring: KeyRing }> {
  const file = join(mkdtempSync(join(tmpdir(), 'ring-')), 'keys.json');
  return { file, ring: await KeyRing.loadOrCreate(file) };
}
const states = (ring: KeyRing) => ring.all('pii').map(({ state }) => state);
const edit = (file: string, ...changes: Parameters<KeyRingEditor['edit']>[0][]) =>
  KeyRingEditor.with(file, async (editor) => {
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
    expect((await KeyRing.load(link)).all('audit')).toHaveLength(2);
  });

  it('would leave a purpose without an active key: refused, and the file stays', async () => {
    const { file, ring } = await newRing();
    const before = readFileSync(file, 'utf8');
    await expect(edit(file, drop('pii', ring.active('pii').id))).rejects.toThrow('no active key of the purpose pii');
    expect(readFileSync(file, 'utf8')).toBe(before);
  });

  it('two commands change it at once: one works, the other is told whom to wait for', async () => {
    const { file } = await newRing();
    await KeyRingEditor.with(file, async (editor) => {
      await expect(edit(file, addNext('pii'))).rejects.toThrow(`process ${process.pid} on ${hostname()} is changing the key ring`);
      await editor.edit(addNext('pii'));
    });
    await edit(file, promote('pii'));
    expect(states(await KeyRing.load(file))).toEqual(['active', 'retired']);
  });

  it('takes over the lock of a process that was killed, once; never the lock of another machine', async () => {
    const { file } = await newRing();
    const lock = (holder: object) => writeFileSync(`${file}.lock`, JSON.stringify(holder));
    lock({ pid: 2 ** 22 + 1, host: hostname(), nonce: 'gone' });
    const results = await Promise.allSettled([1, 2, 3, 4].map(() => KeyRingEditor.with(file, () => new Promise((resolve) => setTimeout(resolve, 100)))));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    lock({ pid: process.pid, host: hostname(), nonce: 'an earlier life of a container' });
    await edit(file, addNext('pii'));
    lock({ pid: 1, host: 'elsewhere', nonce: randomUUID() });
    await expect(edit(file, promote('pii'))).rejects.toThrow(`remove ${file}.lock when it no longer runs`);
  });

  it('loses its lock meanwhile: writes nothing', async () => {
    const { file } = await newRing();
    const before = readFileSync(file, 'utf8');
    const work = KeyRingEditor.with(file, async (editor) => {
      writeFileSync(`${file}.lock`, JSON.stringify({ pid: 1, host: 'elsewhere', nonce: 'thief' }));
      await editor.edit(addNext('pii'));
    });
    await expect(work).rejects.toThrow('the lock was taken away');
    expect(readFileSync(file, 'utf8')).toBe(before);
  });
});

describe('a running service and a changed key ring [practice 7.3]', () => {
  afterEach(() => void vi.restoreAllMocks());

  it('learns of new keys without a restart; a broken file is logged once without a secret, and the keys stay', async () => {
    const { file, ring } = await newRing();
    const logged = vi.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    vi.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    const reload = new KeyRingReload(ring);
    reload.onModuleInit();
    const before = ring.active('pii').id;
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.slice(0, -200));
    await vi.waitFor(() => expect(logged).toHaveBeenCalled(), 5_000);
    await new Promise((resolve) => setTimeout(resolve, 2_100));
    expect(logged).toHaveBeenCalledOnce();
    expect(JSON.stringify(logged.mock.calls.flat().map(String))).not.toContain((JSON.parse(text) as { keys: { secret: string }[] }).keys[0]?.secret);
    expect(ring.active('pii').id).toBe(before);
    writeFileSync(file, text);
    await edit(file, addNext('pii'), promote('pii'));
    await vi.waitFor(() => expect(ring.active('pii').id).not.toBe(before), 5_000);
    reload.onApplicationShutdown();
  });

  it.each(['removed', 'readable by others'])('the file is %s: refused, and the keys stay', async (fault) => {
    const { file, ring } = await newRing();
    const before = ring.active('pii').id;
    if (fault === 'removed') (await import('node:fs')).rmSync(file);
    else chmodSync(file, 0o644);
    await expect(ring.reload()).rejects.toThrow(file);
    expect(await ring.reload()).toBe(false);
    expect(ring.active('pii').id).toBe(before);
  });
});
