import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';

/** A socket that listens as long as this process lives. */
export interface Life {
  end(): void;
}

/** A socket address has room for 107 bytes on Linux and 103 on macOS. */
const maxPathBytes = 100;

/**
 * Listens on a unix socket. The kernel ends that with the process, however it ends, and processes of other containers
 * see it too.
 */
export async function listenUntilExit(path: string): Promise<Life> {
  const server = createServer((socket) => socket.destroy()).unref();
  try {
    await withShortPath(path, (short) => listening(server, short));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const fix = 'it must be writable, and on a file system that can hold unix sockets';
    throw Object.assign(new Error(`no socket in ${dirname(path)} (${code}): ${fix}`, { cause: error }), {
      code,
      path: dirname(path),
    });
  }
  return {
    end() {
      server.close();
      rmSync(path, { force: true });
    },
  };
}

/** True also when that cannot be known, as with a socket of another user. */
export async function isListening(path: string): Promise<boolean> {
  return withShortPath(path, async (short) => {
    const socket = connect(short);
    try {
      return await new Promise<boolean>((done) => {
        socket.once('connect', () => done(true));
        socket.once('error', ({ code }: NodeJS.ErrnoException) => done(code !== 'ECONNREFUSED' && code !== 'ENOENT'));
      });
    } finally {
      socket.destroy();
    }
  });
}

async function listening(server: Server, path: string): Promise<void> {
  await new Promise<void>((done, fail) => {
    server.once('error', fail);
    server.listen(path, () => {
      server.off('error', fail);
      done();
    });
  });
}

/** Goes through a link in the temporary directory where the path itself is too long. */
async function withShortPath<T>(path: string, work: (short: string) => Promise<T>): Promise<T> {
  // Windows has pipes instead, in a place of their own.
  if (process.platform === 'win32') return work(`\\\\.\\pipe\\${basename(path)}`);
  if (Buffer.byteLength(path) <= maxPathBytes) return work(path);
  const directory = mkdtempSync(join(tmpdir(), 'lock-'));
  try {
    symlinkSync(resolve(dirname(path)), join(directory, 'd'));
    return await work(join(directory, 'd', basename(path)));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
