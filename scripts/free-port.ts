import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** None is given twice: whoever asked before may not listen yet. */
const given = new Set<number>();

/**
 * A TCP port that a process started next can listen on, from 20000 to 29999: below those that systems give to outgoing
 * connections and to whoever asks for any port (from 32768 on Linux, 49152 elsewhere), which would take it meanwhile.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 30_000);
    if (!given.has(port) && (await isFree(port))) {
      given.add(port);
      return port;
    }
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer().once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
