import { randomUUID } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';

/** What the taker of a lock tells others. */
export interface LockDetails {
  /** Set where machines share the file: nothing can be known of another machine's processes, so such a lock is never taken over. */
  readonly host?: string;
  /** Where the holder's embedded database can be reached. */
  readonly socketDirectory?: string;
}

export interface LockHolder extends LockDetails {
  readonly pid: number;
  /** Tells an earlier life of a process: in a container every start has the same pid. */
  readonly nonce?: string;
}

/** The locks of this process, by file. */
const ours = new Map<string, string>();

/**
 * Takes a lock file, or tells who has it. A lock whose process is gone (kill -9) is stale and is taken over.
 * @returns undefined when the lock is ours now, otherwise the living holder.
 */
export function takeLock(file: string, details: LockDetails = {}): LockHolder | undefined {
  const nonce = randomUUID();
  const draft = `${file}.${nonce}`;
  const holder: LockHolder = { pid: process.pid, nonce, ...details };
  writeFileSync(draft, JSON.stringify(holder), { flag: 'wx', mode: 0o600 });
  try {
    for (let attempt = 0; attempt < 5; attempt++) {
      // Linked, not written in place: the lock appears whole or not at all, and fails if another process was faster.
      if (linked(draft, file)) {
        ours.set(file, nonce);
        return undefined;
      }
      const other = lockHolder(file);
      if (other !== undefined) return other;
      moveAway(file);
    }
  } finally {
    rmSync(draft, { force: true });
  }
  throw Object.assign(new Error(`the lock file ${file} cannot be taken; remove it when no other process uses it`), { code: 'EBUSY' });
}

/** False also when somebody has removed or replaced the file. */
export const holdsLock = (file: string): boolean => ours.has(file) && readHolder(file)?.nonce === ours.get(file);

export function releaseLock(file: string): void {
  if (holdsLock(file)) rmSync(file, { force: true });
  ours.delete(file);
}

/** The living process that holds the lock, if there is one. */
export function lockHolder(file: string): LockHolder | undefined {
  const holder = readHolder(file);
  return holder !== undefined && lives(file, holder) ? holder : undefined;
}

function linked(draft: string, file: string): boolean {
  return !failsWith('EEXIST', () => linkSync(draft, file));
}

/** Renamed and looked at again before it is deleted: two processes that find a stale lock must not delete each other's new one. */
function moveAway(file: string): void {
  const aside = `${file}.stale.${randomUUID()}`;
  if (failsWith('ENOENT', () => renameSync(file, aside))) return;
  const taken = readHolder(aside);
  if (taken !== undefined && lives(file, taken)) linked(aside, file);
  rmSync(aside, { force: true });
}

/** A missing file, or one that somebody has spoiled, names nobody. */
function readHolder(file: string): LockHolder | undefined {
  let text = '';
  if (failsWith('ENOENT', () => (text = readFileSync(file, 'utf8')))) return undefined;
  try {
    const holder = JSON.parse(text) as LockHolder | null;
    return Number.isInteger(holder?.pid) ? (holder ?? undefined) : undefined;
  } catch {
    return undefined;
  }
}

function lives(file: string, { pid, host, nonce }: LockHolder): boolean {
  if (host !== undefined && host !== hostname()) return true;
  if (pid === process.pid) return nonce !== undefined && ours.get(file) === nonce;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function failsWith(code: string, work: () => unknown): boolean {
  try {
    work();
    return false;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === code) return true;
    throw error;
  }
}
