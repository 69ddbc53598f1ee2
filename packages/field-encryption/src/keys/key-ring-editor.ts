import { open, realpath, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { KeyRing } from './key-ring.js';
import { KeyRingError, keyRingText, newKeyEntry, parseKeyRing, type KeyEntry } from './key-ring.format.js';

type Change = (keys: readonly KeyEntry[]) => readonly KeyEntry[];

/** A key that instances learn of before anything is made with it. */
export const addNext =
  (purpose: string): Change =>
  (keys) => [...keys, newKeyEntry(purpose, 'next')];

/** The next key becomes the active one. */
export const promote =
  (purpose: string): Change =>
  (keys) =>
    keys.map((key) => {
      if (key.purpose !== purpose || key.state === 'retired') return key;
      return key.state === 'next'
        ? { ...key, state: 'active' }
        : { ...key, state: 'retired', retiredAt: new Date().toISOString() };
    });

export const drop =
  (purpose: string, id: string): Change =>
  (keys) =>
    keys.filter((key) => key.purpose !== purpose || key.id !== id);

/** Keeps every other process from changing the ring meanwhile. */
export interface RingLock {
  /** @returns who holds it, in words; undefined when it is ours now. */
  take(path: string): Promise<string | undefined>;
  /** False also when somebody has taken it away. */
  holds(path: string): boolean;
  release(path: string): void;
}

/** Changes the key ring file: one process at a time, whole or not at all, and never to a ring that would be refused. */
export class KeyRingEditor {
  private constructor(
    private readonly ring: KeyRing,
    private readonly file: string,
    private readonly isLocked: () => boolean,
  ) {}

  /** @throws KeyRingError when another process changes the ring, or it cannot be written. */
  static async with<T>(ring: KeyRing, lock: RingLock, work: (editor: KeyRingEditor) => Promise<T>): Promise<T> {
    // A mounted ring is often a symbolic link, and a rename would replace the link.
    const file = await realpath(ring.file);
    const path = `${file}.lock`;
    await takeLock(file, lock);
    try {
      return await work(new KeyRingEditor(ring, file, () => lock.holds(path)));
    } finally {
      lock.release(path);
    }
  }

  /** The ring has the changed keys from then on. */
  async edit(change: Change): Promise<void> {
    const current = await open(this.file, 'r');
    try {
      const text = await current.readFile('utf8');
      parseKeyRing(text, this.ring.purposes);
      const edited = keyRingText(change((JSON.parse(text) as { keys: KeyEntry[] }).keys));
      parseKeyRing(edited, this.ring.purposes);
      await this.replace(edited, await current.stat());
    } catch (error) {
      throwDenied(this.file, error);
    } finally {
      await current.close();
    }
    await this.ring.reload();
  }

  /** Written beside it and flushed, then renamed: after a crash there is the old ring or the new one. */
  private async replace(text: string, { uid, gid, mode }: { uid: number; gid: number; mode: number }): Promise<void> {
    const draft = `${this.file}.new`;
    await unlink(draft).catch((error: NodeJS.ErrnoException) => error.code === 'ENOENT' || Promise.reject(error));
    const handle = await open(draft, 'wx', 0o600);
    try {
      await handle.writeFile(text);
      const own = await handle.stat();
      // The service must be able to read what an administrator's command wrote.
      if (own.uid !== uid || own.gid !== gid) await handle.chown(uid, gid);
      await handle.chmod(mode & 0o777);
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (!this.isLocked()) throw new KeyRingError('the lock was taken away: nothing was changed');
    await rename(draft, this.file);
    // A power failure must not bring the old ring back after data was sealed under the new one.
    await syncDirectory(dirname(this.file));
  }
}

async function takeLock(file: string, lock: RingLock): Promise<void> {
  const path = `${file}.lock`;
  const other = await lock.take(path).catch((error: unknown) => throwDenied(file, error));
  if (other === undefined) return;
  const fault = `${other} is changing the key ring: wait for it, or remove ${path} when it no longer runs`;
  throwDenied(file, new KeyRingError(fault));
}

function throwDenied(file: string, error: unknown): never {
  if (error instanceof KeyRingError) throw new KeyRingError(`key ring ${file}: ${error.message}`);
  const { code } = error as NodeJS.ErrnoException;
  throw new KeyRingError(
    `key ring ${file}: it cannot be changed (${code ?? 'unknown error'}): run the command where it is writable`,
    { cause: error },
  );
}

async function syncDirectory(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(path, 'r');
  await handle.sync().finally(() => handle.close());
}
