/**
 * `embedded`: one instance on PGlite, nothing but Node. `services`: two instances on the PostgreSQL of DATABASE_URL and
 * the Redis of REDIS_URL; without them it fails, because a run that silently skips proves nothing.
 */
export type Profile =
  | { readonly name: 'embedded' }
  | { readonly name: 'services'; readonly databaseUrl: string; readonly redisUrl: string };

export type Services = Extract<Profile, { readonly name: 'services' }>;

export function profile(): Profile {
  const wanted = process.env['TEST_PROFILE'] ?? 'embedded';
  if (wanted === 'embedded') return { name: 'embedded' };
  const databaseUrl = process.env['DATABASE_URL'];
  const redisUrl = process.env['REDIS_URL'];
  if (wanted !== 'services') throw new Error(`TEST_PROFILE is ${wanted}: set embedded or services`);
  if (!databaseUrl || !redisUrl) throw new Error('the services profile needs DATABASE_URL and REDIS_URL: set both');
  return { name: 'services', databaseUrl, redisUrl };
}

/** The servers of the tests that mean something on them alone: `*.services.test.ts`. */
export function services(): Services {
  const chosen = profile();
  if (chosen.name === 'services') return chosen;
  throw new Error('these tests need PostgreSQL and Redis: npm run test:services');
}
