import { randomUUID } from 'node:crypto';
import { linkSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { isListening, listenUntilExit, type Life } from './life-sign.js';

/** What the taker of a lock tells others. */
export interface LockDetails {
  /**
   * Set where machines share the file: nothing can be known of another machine's processes, so such a lock is never
   * taken over.
   */
  readonly host?: string;
  /** Where the holder's embedded database can be reached. */
  readonly socketDirectory?: string;
}

export interface LockHolder extends LockDetails {
  /** For people. Another process may have the number by now, or has it in another container. */
  readonly pid: number;
  /** Names the socket beside the lock on which the holder listens as long as it lives. */
  readonly nonce: string;
  /** The running kernel, which containers of one machine share. */
  readonly boot?: string;
}

/** The locks of this process, by file. */
const ours = new Map<string, { readonly nonce: string; readonly life: Life }>();

const socketOf = (file: string, nonce: string): string => `${file}.${nonce}`;
const noncePattern = /^[0-9a-f-]{36}$/;
/** So old is nothing that another process is about to use. */
const leftoverMs = 60_000;

/**
 * Takes a lock file, or tells who has it. Node has no lock that the kernel drops with its holder, but a listening
 * socket is one: the lock of a process that is gone (kill -9, a removed container) is stale and is taken over, whoever
 * has its pid now.
 * @returns undefined when the lock is ours now, otherwise the living holder.
 */
export async function takeLock(file: string, details: LockDetails = {}): Promise<LockHolder | undefined> {
  const nonce = randomUUID();
  const life = await listenUntilExit(socketOf(file, nonce));
  try {
    const other = await linkOrFind(file, { pid: process.pid, nonce, boot: bootId(), ...details });
    if (other !== undefined) return other;
    ours.set(file, { nonce, life });
    removeLeftovers(file, nonce);
    return undefined;
  } finally {
    if (ours.get(file)?.nonce !== nonce) life.end();
  }
}

/** False also when somebody has removed or replaced the file. */
export const holdsLock = (file: string): boolean => ours.has(file) && readHolder(file)?.nonce === ours.get(file)?.nonce;

export function releaseLock(file: string): void {
  if (holdsLock(file)) rmSync(file, { force: true });
  ours.get(file)?.life.end();
  ours.delete(file);
}

/** The living process that holds the lock, if there is one. */
export async function lockHolder(file: string): Promise<LockHolder | undefined> {
  const holder = readHolder(file);
  return holder !== undefined && (await lives(file, holder)) ? holder : undefined;
}

async function linkOrFind(file: string, holder: LockHolder): Promise<LockHolder | undefined> {
  const draft = `${socketOf(file, holder.nonce)}.new`;
  writeFileSync(draft, JSON.stringify(holder), { flag: 'wx', mode: 0o600, flush: true });
  try {
    for (let attempt = 0; attempt < 5; attempt++) {
      // Linked, not written in place: the lock appears whole or not at all, and fails if another process was faster.
      if (linked(draft, file)) return undefined;
      const other = readHolder(file);
      if (other !== undefined && (await lives(file, other))) return other;
      moveAway(file, other?.nonce);
    }
  } finally {
    rmSync(draft, { force: true });
  }
  throw Object.assign(new Error(`the lock file ${file} cannot be taken; remove it when no other process uses it`), {
    code: 'EBUSY',
  });
}

function linked(draft: string, file: string): boolean {
  return !failsWith('EEXIST', () => linkSync(draft, file));
}

/**
 * Renamed and looked at again before it is deleted: two processes that find a stale lock must not delete each other's
 * new one.
 */
function moveAway(file: string, staleNonce: string | undefined): void {
  const aside = `${file}.${randomUUID()}.stale`;
  if (readHolder(file)?.nonce !== staleNonce || failsWith('ENOENT', () => renameSync(file, aside))) return;
  if (readHolder(aside)?.nonce !== staleNonce) linked(aside, file);
  else if (staleNonce !== undefined) rmSync(socketOf(file, staleNonce), { force: true });
  rmSync(aside, { force: true });
}

/** What processes that were killed in the middle have left beside the lock that is ours. */
function removeLeftovers(file: string, nonce: string): void {
  for (const name of readdirSync(dirname(file))) {
    const rest = name.startsWith(`${basename(file)}.`) ? name.slice(basename(file).length + 1) : '';
    const other = noncePattern.test(rest.replace(/\.(new|stale)$/, '')) && !rest.startsWith(nonce);
    if (other && isOld(join(dirname(file), name))) rmSync(join(dirname(file), name), { force: true });
  }
}

const isOld = (path: string): boolean =>
  Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now()) > leftoverMs;

/** A missing file, or one that somebody has spoiled, names nobody. */
function readHolder(file: string): LockHolder | undefined {
  let text = '';
  if (failsWith('ENOENT', () => (text = readFileSync(file, 'utf8')))) return undefined;
  try {
    const holder = JSON.parse(text) as LockHolder | null;
    // The nonce becomes part of a path.
    return Number.isInteger(holder?.pid) && noncePattern.test(String(holder?.nonce))
      ? (holder ?? undefined)
      : undefined;
  } catch {
    return undefined;
  }
}

async function lives(file: string, { host, boot, nonce }: LockHolder): Promise<boolean> {
  const elsewhere = host !== undefined && host !== hostname() && (boot === undefined || boot !== bootId());
  return elsewhere || isListening(socketOf(file, nonce));
}

/** Linux only; elsewhere the name of the host has to do. */
function bootId(): string | undefined {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return undefined;
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
