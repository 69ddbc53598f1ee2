import type { Socket } from 'node:net';
import pg, { type PoolClient, type PoolConfig } from 'pg';
import { isStale } from './prepared.js';

/**
 * Longer than any statement may take (session.ts), and short enough that its request is answered within 5 s. A server
 * that is cut off, a firewall that forgot the connection, say nothing: without a bound the requests of a whole pool
 * hang until the system gives up, minutes later.
 */
const silentAfterMs = 4_000;

interface Internals {
  /** False while a statement waits for its answer. */
  readonly readyForQuery?: boolean;
  readonly connection: {
    readonly stream: Socket;
    on(event: 'errorMessage', listener: (error: { readonly code?: string }) => void): void;
  };
}

/**
 * The pool of the service. A connection on which nothing is heard while a statement waits is cut: its request ends, and
 * the next one gets a new one.
 */
export function createPool(options: PoolConfig): pg.Pool {
  const pool = new pg.Pool(options);
  pool.on('connect', (client: PoolClient) => {
    const { connection } = internals(client);
    const { stream } = connection;
    connection.on('errorMessage', ({ code }) => {
      if (isStale(code)) stream.destroy();
    });
    stream.on('timeout', () => {
      // A transaction that waits for other work says nothing either; the server bounds that one.
      if (internals(client).readyForQuery !== true) stream.destroy(silence());
    });
  });
  pool.on('acquire', (client: PoolClient) => internals(client).connection.stream.setTimeout(silentAfterMs));
  pool.on('release', (_error: Error, client: PoolClient) => internals(client).connection.stream.setTimeout(0));
  return pool;
}

const internals = (client: PoolClient): Internals => client as unknown as Internals;

/** In the form of a fault of the socket, which the adapter and the error filter know. */
const silence = (): Error =>
  Object.assign(new Error('the database fell silent'), { code: 'ETIMEDOUT', syscall: 'read', errno: -110 });
