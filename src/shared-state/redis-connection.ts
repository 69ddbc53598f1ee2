import { connect } from 'node:net';
import { Redis, type RedisOptions } from 'ioredis';
import { ConfigurationError, handshakeFault, linkTls, redisLink, type Config } from '../config/index.js';
import { probeCommands, refusalOf } from './redis-probe.js';

/** The driver gets the parts of the URL: left to itself, it takes every parameter of one as an option. */
export function redisOptions(config: Config, url: string, name: string): RedisOptions {
  const link = redisLink(url);
  const tls = linkTls('REDIS', link, config.redisFiles);
  return {
    host: link.host,
    port: link.port,
    username: link.user,
    password: link.password,
    db: Number(link.database ?? 0),
    ...(tls === undefined ? {} : { tls }),
    connectionName: name,
    // Fails fast: a request must get its answer, not wait for Redis to come back.
    maxRetriesPerRequest: name === 'subscriber' ? null : 1,
    enableOfflineQueue: name === 'subscriber',
    commandTimeout: name === 'subscriber' ? undefined : 300,
    connectTimeout: 500,
    // A command without an answer: the link fell silent. It is replaced, before the next requests wait for their
    // time-outs too.
    socketTimeout: 1_000,
    keepAlive: 10_000,
    reconnectOnError: reconnectToPrimary(),
    autoResubscribe: true,
  };
}

/** After a failover the name leads to the new primary, but only a new connection asks for it. At most once a second. */
function reconnectToPrimary(): (error: Error) => boolean {
  let last = -Infinity;
  return (error) => {
    if (!error.message.startsWith('READONLY') || performance.now() - last < 1_000) return false;
    last = performance.now();
    return true;
  };
}

/** Begins every key and channel, so that two deployments on one Redis do not meet. */
export const namespaceOf = ({ publicUrl }: Config): string => new URL(publicUrl).host;

/**
 * Asked once before the service starts: does Redis prove who it is, let us in, and do what the service will need?
 * @throws ConfigurationError when it does not; an outage passes.
 */
export async function checkRedis(config: Config): Promise<void> {
  if (config.redisUrl === undefined) return;
  const options = redisOptions(config, config.redisUrl, 'check');
  // A process that is still loading its code may be late itself: that is no fault of Redis.
  const patience = {
    connectTimeout: 3_000,
    commandTimeout: 5_000,
    socketTimeout: 5_000,
    enableReadyCheck: false,
    retryStrategy: () => null,
    reconnectOnError: null,
  };
  const redis = new Redis({ ...options, ...patience, lazyConnect: true });
  let cause: Error | undefined;
  // The promise only tells that the connection is closed, the event tells why.
  redis.on('error', (error: Error) => (cause ??= error));
  try {
    await redis.connect();
    await probeCommands(redis, namespaceOf(config));
    await redis.subscribe(`${namespaceOf(config)}:probe`);
  } catch (error) {
    await assertUnreachable(cause ?? (error as Error), options);
  } finally {
    redis.disconnect();
  }
}

const networkOutages = ['ECONNREFUSED', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'];
const outages = new Set([...networkOutages, 'LOADING', 'MASTERDOWN']);

/**
 * A Redis that is away comes back, and until then each instance limits by itself. Everything else is a Redis that
 * nobody should talk to, or that does not know us: it would stay so, and the instances would never share a limit.
 */
async function assertUnreachable(cause: NodeJS.ErrnoException, options: RedisOptions): Promise<void> {
  const reason = refusalOf(cause);
  // One that takes the connection and never finishes the handshake is not away: it speaks no TLS.
  if (outages.has(reason) && !(reason === 'ETIMEDOUT' && (await isReachable(options)))) return;
  const fix = fixes.get(reason);
  const what = 'check user, password and REDIS_CERT_FILE, and whether both sides speak TLS';
  const refused =
    fix === undefined
      ? `Redis does not let us in (${reason}): ${what}`
      : `Redis refuses what the service needs (${reason}): ${fix}`;
  throw handshakeFault('REDIS', cause) ?? new ConfigurationError([`REDIS_URL: ${refused}`]);
}

const fixes: ReadonlyMap<string, string> = new Map([
  ['READONLY', 'it is a replica; set the address of the primary'],
  ['OOM', 'its memory is full; raise maxmemory, or let it evict keys (maxmemory-policy)'],
  ['MISCONF', 'it cannot save to its disk; mend that, or save nothing'],
  [
    'NOPERM',
    'give its user the keys and channels that begin with the host of PUBLIC_URL, ' +
      'and the commands of docs/practices/links.md',
  ],
  ['ERR', 'set the number of a database that exists as path, and a Redis 7 or Valkey that runs scripts'],
]);

const isReachable = ({ host, port = 6379 }: RedisOptions): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 1_000 });
    const end = (answer: boolean) => () => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', end(true)).once('timeout', end(false)).once('error', end(false));
  });
