import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';

// Runs in a worker: in the main thread every query would block the event loop of the service.
const { directory, socketPath } = workerData as { directory: string; socketPath: string | undefined };

const database = await PGlite.create({
  dataDir: directory,
  // 16 MB instead of 128 MB: the embedded database is for one machine and must fit beside the service.
  startParams: [...PGlite.defaultStartParams, '-c', 'shared_buffers=16MB'],
});
// Without a socket it was only to be made.
if (socketPath === undefined) {
  await database.close();
  parentPort?.postMessage('made');
  process.exit(0);
}
// The service itself uses one connection; the others are for operator commands beside it.
const server = new PGLiteSocketServer({ db: whole(database), path: socketPath, maxConnections: 8 });
await server.start();
parentPort?.postMessage('ready');

/**
 * Keeps the messages of one statement (Parse, Bind, Execute, Sync) together. The socket server queues each message by
 * itself, and all connections share one session with one unnamed statement: the values of one connection would be bound
 * to the statement of another. It only waits for a connection's transaction to end; a statement is shown to it as one.
 */
function whole(db: PGlite): PGlite {
  // Parse, Bind, Describe, Execute, Close, Flush: Sync comes after them.
  const parts = new Set(Buffer.from('PBDECH'));
  let inStatement = false;
  const shown: Partial<PGlite> = {
    isInTransaction: () => inStatement || db.isInTransaction(),
    async execProtocolRawStream(message, options) {
      inStatement = parts.has(message[0] ?? 0);
      await db.execProtocolRawStream(message, options);
    },
    // What the server sends for a connection that broke off: nobody's statement is open then.
    async exec(query, options) {
      inStatement = false;
      return db.exec(query, options);
    },
  };
  return new Proxy(db, {
    get(target, name) {
      const value: unknown = Reflect.get(name in shown ? shown : target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

parentPort?.once('message', () => {
  void server
    .stop()
    .then(() => database.close())
    .finally(() => process.exit(0));
});
