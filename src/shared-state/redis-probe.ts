import type { Redis } from 'ioredis';

// A Redis that answers PING may refuse everything else: a replica after a failover, one that is full, a user without
// rights, a database that does not exist. The limits would then quietly be those of one instance, and a revocation
// would reach nobody else, for ever.

/** What a counter needs: a script that writes a key, counts and asks for its time to live. */
const countOnce = `redis.call('set', KEYS[1], 0, 'EX', ARGV[1], 'NX')
redis.call('incrby', KEYS[1], 1)
return redis.call('pttl', KEYS[1])`;

/** Does in earnest what the service will do, under its own names. @throws the refusal of Redis. */
export async function probeCommands(redis: Redis, namespace: string): Promise<void> {
  const { db = 0 } = redis.options;
  // The driver selects when it connects, and says nothing when that fails: everything would go to database 0.
  if (db !== 0) await redis.select(db);
  const left = Number(await redis.eval(countOnce, 1, `${namespace}:limit:probe`, 60));
  if (!(left > 0)) throw new Error('ERR the time to live of a key is not kept');
  await redis.publish(`${namespace}:probe`, '');
}

/** The word that a refusal of Redis begins with, or the code of the network; never a value. */
export function refusalOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? /^[A-Z]{3,}/.exec(message)?.[0] ?? 'no answer';
}
