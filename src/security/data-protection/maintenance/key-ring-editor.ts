import { open, realpath, rename, unlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { holdsLock, releaseLock, takeLock } from '../../../common/file-lock.js';
import { syncDirectory } from '../../../common/whole-files.js';
import { KeyRingError, keyRingText, newKeyEntry, parseKeyRing, type KeyEntry } from '../key-ring.format.js';
import type { Purpose } from '../purposes.js';

type Change = (keys: readonly KeyEntry[]) => readonly KeyEntry[];

/** A key that instances learn of before anything is made with it. */
export const addNext = (purpose: Purpose): Change => (keys) => [...keys, newKeyEntry(purpose, 'next')];

/** The next key becomes the active one. */
export const promote = (purpose: Purpose): Change => (keys) =>
  keys.map((key) => {
    if (key.purpose !== purpose || key.state === 'retired') return key;
    return key.state === 'next' ? { ...key, state: 'active' } : { ...key, state: 'retired', retiredAt: new Date().toISOString() };
  });

export const drop = (purpose: Purpose, id: string): Change => (keys) => keys.filter((key) => key.purpose !== purpose || key.id !== id);

/** Changes the key ring file: one process at a time, whole or not at all, and never to a ring that would be refused. */
export class KeyRingEditor {
  private constructor(
    private readonly file: string,
    private readonly lock: string,
  ) {}

  /** @throws KeyRingError when another process changes the ring, or it cannot be written. */
  static async with<T>(file: string, work: (editor: KeyRingEditor) => Promise<T>): Promise<T> {
    // A mounted ring is often a symbolic link, and a rename would replace the link.
    const target = await realpath(file);
    const lock = `${target}.lock`;
    await takeRingLock(target, lock);
    try {
      return await work(new KeyRingEditor(target, lock));
    } finally {
      releaseLock(lock);
    }
  }

  async edit(change: Change): Promise<void> {
    const current = await open(this.file, 'r');
    try {
      const text = await current.readFile('utf8');
      parseKeyRing(text);
      const edited = keyRingText(change((JSON.parse(text) as { keys: KeyEntry[] }).keys));
      parseKeyRing(edited);
      await this.replace(edited, await current.stat());
    } catch (error) {
      refuse(this.file, error);
    } finally {
      await current.close();
    }
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
    if (!holdsLock(this.lock)) throw new KeyRingError('the lock was taken away: nothing was changed');
    await rename(draft, this.file);
    // A power failure must not bring the old ring back after data was sealed under the new one.
    await syncDirectory(dirname(this.file));
  }
}

async function takeRingLock(file: string, lock: string): Promise<void> {
  try {
    const other = await takeLock(lock, { host: hostname() });
    if (other === undefined) return;
    const who = `process ${other.pid} on ${other.host ?? 'this machine'}`;
    throw new KeyRingError(`${who} is changing the key ring: wait for it, or remove ${lock} when it no longer runs`);
  } catch (error) {
    refuse(file, error);
  }
}

function refuse(file: string, error: unknown): never {
  if (error instanceof KeyRingError) throw new KeyRingError(`key ring ${file}: ${error.message}`);
  const { code } = error as NodeJS.ErrnoException;
  throw new KeyRingError(`key ring ${file}: it cannot be changed (${code ?? 'unknown error'}): run the command where it is writable`, { cause: error });
}
