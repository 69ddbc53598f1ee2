import { connect } from 'node:net';
import { Redis, type RedisOptions } from 'ioredis';
import { ConfigurationError, handshakeFault, linkTls, redisLink, type Config } from '../config/index.js';

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
    autoResubscribe: true,
  };
}

/**
 * Asked once before the service starts: does Redis prove who it is, and does it let us in?
 * @throws ConfigurationError when it does not; an outage passes.
 */
export async function checkRedis(config: Config): Promise<void> {
  if (config.redisUrl === undefined) return;
  const options = redisOptions(config, config.redisUrl, 'check');
  const patience = { connectTimeout: 3_000, commandTimeout: 3_000, enableReadyCheck: false, retryStrategy: () => null };
  const redis = new Redis({ ...options, ...patience, lazyConnect: true });
  let cause: Error | undefined;
  // The promise only tells that the connection is closed, the event tells why.
  redis.on('error', (error: Error) => (cause ??= error));
  try {
    await redis.connect();
    await redis.ping();
  } catch (error) {
    await refuseUnlessAway(cause ?? (error as Error), options);
  } finally {
    redis.disconnect();
  }
}

const networkOutages = ['ECONNREFUSED', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'];
const outages = new Set([...networkOutages, 'LOADING', 'MASTERDOWN']);

/**
 * A Redis that is away comes back, and until then each instance limits by itself. Everything else is a Redis that nobody
 * should talk to, or that does not know us: it would stay so, and the instances would never share a limit.
 */
async function refuseUnlessAway(cause: NodeJS.ErrnoException, options: RedisOptions): Promise<void> {
  // What Redis itself refuses with begins with a word of its own: NOAUTH, WRONGPASS, NOPERM.
  const reason = cause.code ?? /^[A-Z]{5,}/.exec(cause.message)?.[0] ?? 'no answer';
  // One that takes the connection and never finishes the handshake is not away: it speaks no TLS.
  if (outages.has(reason) && !(reason === 'ETIMEDOUT' && (await isReachable(options)))) return;
  const what = 'user, password and REDIS_CERT_FILE, and whether both sides speak TLS';
  const refused = `REDIS_URL: Redis does not let us in (${reason}): check ${what}`;
  throw handshakeFault('REDIS', cause) ?? new ConfigurationError([refused]);
}

const isReachable = ({ host, port = 6379 }: RedisOptions): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 1_000 });
    const end = (answer: boolean) => () => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', end(true)).once('timeout', end(false)).once('error', end(false));
  });
