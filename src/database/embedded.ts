import { existsSync, mkdirSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { lockHolder, releaseLock, takeLock } from '../common/file-lock.js';
import { makeWholeDirectory } from '../common/whole-files.js';
import { ConfigurationError } from '../config/index.js';

/** A PostgreSQL server in this process (PGlite), reachable on a unix socket that only this user can open. */
export interface EmbeddedDatabase {
  readonly socketDirectory: string;
  /** Called when the database stops by itself: every later query will fail. */
  onFailure: (error: Error) => void;
  close(): Promise<void>;
}

/** PGlite has no lock of its own: two processes that open one directory lose rows. */
const lockFile = (dataDirectory: string) => join(dataDirectory, 'database.lock');

/**
 * Starts the embedded database under `<dataDirectory>/database`, which is made when it is missing (3 to 8 s once).
 * @throws Error with the fix, when another process has the directory, or it cannot be written.
 */
export async function startEmbedded(dataDirectory: string): Promise<EmbeddedDatabase> {
  mkdirSync(dataDirectory, { recursive: true, mode: 0o700 });
  // Under the temporary directory, because a socket path holds 107 characters at most; 0700, because it asks no
  // password.
  const socketDirectory = mkdtempSync(join(tmpdir(), 'service-database-'));
  const other = await takeLock(lockFile(dataDirectory), { socketDirectory });
  if (other !== undefined) {
    rmSync(socketDirectory, { recursive: true });
    throw new Error(`process ${other.pid} already uses ${dataDirectory}: stop it, or set another DATA_DIRECTORY`);
  }
  try {
    return await startWorker(dataDirectory, socketDirectory);
  } catch (error) {
    releaseLock(lockFile(dataDirectory));
    rmSync(socketDirectory, { recursive: true, force: true });
    throw doesNotOpen(dataDirectory, error);
  }
}

/** What the database itself says is a word of its compiler. */
function doesNotOpen(dataDirectory: string, cause: unknown): Error {
  if (statfsSync(dataDirectory).bavail === 0)
    return Object.assign(new Error('the disk is full', { cause }), { code: 'ENOSPC', path: dataDirectory });
  const [directory, fix] = [
    join(dataDirectory, 'database'),
    'bring it back from a backup, or move it away to begin anew',
  ];
  return new ConfigurationError([`DATA_DIRECTORY: the embedded database in ${directory} does not open: ${fix}`]);
}

/**
 * The socket directory of a service that runs now on the data directory: operator commands join it there. @throws Error
 * with the fix.
 */
export async function runningEmbedded(dataDirectory: string): Promise<string | undefined> {
  const holder = await lockHolder(lockFile(dataDirectory));
  if (holder?.socketDirectory === undefined || existsSync(holder.socketDirectory)) return holder?.socketDirectory;
  throw new Error(`a service of another container uses ${dataDirectory}: run the command in that container`);
}

/** A worker that opens the directory, and has said that it is ready. */
async function openWorker(directory: string, socketPath?: string): Promise<Worker> {
  const worker = new Worker(new URL(import.meta.url.replace(/embedded(\.\w+)$/, 'embedded-worker$1')), {
    workerData: { directory, socketPath },
  });
  await new Promise<void>((resolve, reject) => {
    worker.once('message', () => resolve());
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error('the database worker ended before it was ready')));
  });
  return worker;
}

/** A start that is killed while a thousand files are made must not leave half a database, which never opens again. */
async function makeDatabase(directory: string): Promise<void> {
  await makeWholeDirectory(directory, async (unfinished) => {
    await openWorker(unfinished);
  });
}

async function startWorker(dataDirectory: string, socketDirectory: string): Promise<EmbeddedDatabase> {
  const directory = join(dataDirectory, 'database');
  if (!existsSync(directory)) await makeDatabase(directory);
  const worker = await openWorker(directory, join(socketDirectory, '.s.PGSQL.5432'));
  let closing = false;
  const embedded: EmbeddedDatabase = {
    socketDirectory,
    onFailure: () => undefined,
    async close() {
      closing = true;
      const ended = new Promise((resolve) => worker.once('exit', resolve));
      worker.postMessage('stop');
      await ended;
      releaseLock(lockFile(dataDirectory));
      rmSync(socketDirectory, { recursive: true, force: true });
    },
  };
  worker.on('error', (error: Error) => embedded.onFailure(error));
  worker.on('exit', () => closing || embedded.onFailure(new Error('the embedded database has ended')));
  return embedded;
}
