import pg, { type ClientConfig, type PoolConfig } from 'pg';
import { databaseLink, handshakeFault, linkTls, type Config } from '../config/index.js';
import { poolerFault, sessionOptions, timeLimits } from './session.js';

/**
 * How the driver reaches the database. One code path: the embedded database speaks PostgreSQL's protocol on a unix
 * socket.
 */
export function connectionOptions(
  config: Config,
  socketDirectory: string | undefined,
  url = config.databaseUrl,
): PoolConfig {
  if (url === undefined) {
    // One connection, because PGlite is a single session: it queues, and a transaction owns it until it ends.
    return {
      host: socketDirectory,
      port: 5432,
      user: 'postgres',
      database: 'postgres',
      max: 1,
      connectionTimeoutMillis: 10_000,
    };
  }
  const { tls, ...target } = databaseLink(url);
  return {
    ...target,
    // Said here, never left to the driver: its reading of sslmode changes with the version, and PGSSLMODE could turn it
    // off.
    ssl: tls && linkTls('DATABASE', { tls, ...target }, config.databaseFiles),
    max: config.databasePoolSize,
    connectionTimeoutMillis: 3_000,
    // No statement may hold a connection for long: a slow query must not starve the others (ASVS v5.0.0-15.2.2).
    ...timeLimits,
    options: sessionOptions,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  };
}

/** The connection of commands that change tables or rights: as the owner where one is configured. */
export function ownerConnection(config: Config): ClientConfig {
  const url = config.databaseOwnerUrl ?? config.databaseUrl;
  if (url === undefined)
    throw new Error('the embedded database has no roles and migrates at every start: set DATABASE_URL');
  return connectionOptions(config, undefined, url);
}

/**
 * Runs the work on one connection of its own. @throws ConfigurationError when the TLS handshake fails, or a pooler is
 * in the way.
 */
export async function withClient<T>(connection: ClientConfig, work: (client: pg.Client) => Promise<T>): Promise<T> {
  // What runs without a limit there is a migration; everything else is short, and a link that fell silent must not hold
  // the boot.
  const client = new pg.Client({
    query_timeout: connection.statement_timeout === 0 ? undefined : 10_000,
    ...connection,
  });
  try {
    await client.connect();
  } catch (error) {
    throw handshakeFault('DATABASE', error) ?? poolerFault(error) ?? error;
  }
  // A connection that breaks also rejects the query that waits on it, and that is who hears of it.
  client.on('error', () => undefined);
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
