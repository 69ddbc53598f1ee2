import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

// What is made in several writes is made beside its place, flushed, and renamed: a process that is killed, or a machine
// that loses its power, leaves the old one or the whole new one (practice 11.1).

/** So old is no draft that another process still writes. */
const leftoverMs = 60_000;

/** Writes a file that appears whole, readable by the owner only. */
export async function writeWholeFile(file: string, text: string): Promise<void> {
  const draft = draftOf(file);
  try {
    const handle = await open(draft, 'wx', 0o600);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, file);
  } finally {
    await rm(draft, { force: true });
  }
  await syncDirectory(dirname(file));
}

/** Where a file is written before it gets its name. */
const draftOf = (file: string): string => `${file}.${randomUUID()}.new`;

/** Removes the drafts of the file that killed processes left: there may be secrets in them. */
export async function removeOldDrafts(file: string): Promise<void> {
  const names = await readdir(dirname(file)).catch(() => []);
  const drafts = names.filter((name) => name.startsWith(`${basename(file)}.`) && /\.[0-9a-f-]{36}\.new$/.test(name));
  for (const draft of drafts.map((name) => join(dirname(file), name))) {
    const { mtimeMs } = await stat(draft).catch(() => ({ mtimeMs: Date.now() }));
    if (Date.now() - mtimeMs > leftoverMs) await rm(draft, { force: true });
  }
}

/** Makes a directory that appears whole. One process at a time: what an earlier one left unfinished is thrown away. */
export async function makeWholeDirectory(path: string, fill: (unfinished: string) => Promise<void>): Promise<void> {
  const unfinished = `${path}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { mode: 0o700 });
  await fill(unfinished);
  await syncTree(unfinished);
  await rename(unfinished, path);
  await syncDirectory(dirname(path));
}

async function syncTree(directory: string): Promise<void> {
  for (const entry of await readdir(directory, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) await syncPath(join(entry.parentPath, entry.name));
    if (entry.isDirectory()) await syncDirectory(join(entry.parentPath, entry.name));
  }
  await syncDirectory(directory);
}

/** Without it, a power failure could bring back what had the name before. */
export async function syncDirectory(path: string): Promise<void> {
  if (process.platform !== 'win32') await syncPath(path);
}

async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r');
  await handle.sync().finally(() => handle.close());
}
