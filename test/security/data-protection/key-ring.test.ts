import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Logger } from '@nestjs/common';
import { KeyRing } from '@nestjs-secure-template/field-encryption';
import { addNext, KeyRingEditor, promote } from '@nestjs-secure-template/field-encryption/maintenance';
import { purposes } from '../../../src/common/macs.js';
import { ringLock } from '../../../src/security/data-protection/index.js';
import { KeyRingReload } from '../../../src/security/data-protection/key-ring-reload.js';

async function newRing(): Promise<{ file: string; ring: KeyRing }> {
  const file = join(mkdtempSync(join(tmpdir(), 'ring-')), 'keys.json');
  return { file, ring: await KeyRing.loadOrCreate(file, purposes) };
}
const states = (ring: KeyRing) => ring.all('pii').map(({ state }) => state);
const withEditor = async <T>(file: string, work: (editor: KeyRingEditor) => Promise<T>) =>
  KeyRingEditor.with(await KeyRing.load(file, purposes), ringLock, work);
const edit = (file: string, ...changes: Parameters<KeyRingEditor['edit']>[0][]) =>
  withEditor(file, async (editor) => {
    for (const change of changes) await editor.edit(change);
  });

describe('the lock of the key ring [practice 7.3] [ASVS 13.3.4]', () => {
  it('two commands change it at once: one works, the other is told whom to wait for', async () => {
    const { file } = await newRing();
    await withEditor(file, async (editor) => {
      await expect(edit(file, addNext('pii'))).rejects.toThrow(
        `process ${process.pid} on ${hostname()} is changing the key ring`,
      );
      await editor.edit(addNext('pii'));
    });
    await edit(file, promote('pii'));
    expect(states(await KeyRing.load(file, purposes))).toEqual(['active', 'retired']);
  });

  it('takes over the lock of a process that was killed, once; never the lock of another machine', async () => {
    const { file } = await newRing();
    const lock = (holder: object) => writeFileSync(`${file}.lock`, JSON.stringify(holder));
    lock({ pid: 2 ** 22 + 1, host: hostname(), nonce: 'gone' });
    const results = await Promise.allSettled(
      [1, 2, 3, 4].map(() => withEditor(file, () => new Promise((resolve) => setTimeout(resolve, 100)))),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    lock({ pid: process.pid, host: hostname(), nonce: 'an earlier life of a container' });
    await edit(file, addNext('pii'));
    lock({ pid: 1, host: 'elsewhere', nonce: randomUUID() });
    await expect(edit(file, promote('pii'))).rejects.toThrow(`remove ${file}.lock when it no longer runs`);
  });

  it('loses its lock meanwhile: writes nothing', async () => {
    const { file } = await newRing();
    const before = readFileSync(file, 'utf8');
    const work = withEditor(file, async (editor) => {
      writeFileSync(`${file}.lock`, JSON.stringify({ pid: 1, host: 'elsewhere', nonce: 'thief' }));
      await editor.edit(addNext('pii'));
    });
    await expect(work).rejects.toThrow('the lock was taken away');
    expect(readFileSync(file, 'utf8')).toBe(before);
  });
});

describe('a running service and a changed key ring [practice 7.3]', () => {
  afterEach(() => {
    vi.restoreAllMocks();
    vi.useRealTimers();
  });

  it('learns of new keys without a restart; a broken file is logged once, and the keys stay', async () => {
    const { file, ring } = await newRing();
    const logged = vi.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    vi.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const looked = vi.spyOn(ring, 'reload');
    /** As if a second had passed. */
    const look = async () => {
      vi.advanceTimersByTime(1_000);
      await Promise.allSettled(looked.mock.results.map(({ value }) => value as Promise<boolean>));
    };
    const reload = new KeyRingReload(ring);
    reload.onModuleInit();
    const before = ring.active('pii').id;
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.slice(0, -200));
    for (const times of [1, 2, 3]) {
      await look();
      expect([looked.mock.calls.length, logged.mock.calls.length]).toEqual([times, 1]);
    }
    expect(JSON.stringify(logged.mock.calls.flat().map(String))).not.toContain(
      (JSON.parse(text) as { keys: { secret: string }[] }).keys[0]?.secret,
    );
    expect(ring.active('pii').id).toBe(before);
    writeFileSync(file, text);
    await edit(file, addNext('pii'), promote('pii'));
    await look();
    expect(ring.active('pii').id).not.toBe(before);
    reload.onApplicationShutdown();
  });
});
