import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signUp, type Actor } from '../support/actors.js';
import { startApp, type TestApp } from '../support/app.js';
import { services } from '../support/profile.js';

// A Redis that is copied, or asked by somebody else.

/** A dump of a key begins with a type, and holds strings as they are, where they are not compressed. */
async function contentsOf(redis: Redis): Promise<Map<string, { ttl: number; dump: string }>> {
  const found = new Map<string, { ttl: number; dump: string }>();
  for (const key of await redis.keys('*')) {
    const [ttl, dump] = [await redis.pttl(key), await redis.dumpBuffer(key)];
    // A key that ended meanwhile.
    if (ttl !== -2) found.set(key, { ttl, dump: `${key} ${dump?.toString('latin1') ?? ''}` });
  }
  return found;
}

describe('what Redis holds [ASVS 14.2.2]', () => {
  const redis = new Redis(services().redisUrl);
  let app: TestApp;
  let alice: Actor;
  let before: ReadonlySet<string>;

  beforeAll(async () => {
    before = new Set(await redis.keys('*'));
    app = await startApp();
    alice = await signUp(app, 'alice');
    await app.request('POST', '/v1/auth/login', { body: { email: alice.email, password: 'a guess that is wrong' } });
    await app.request('POST', '/v1/auth/logout', { token: alice.token });
  });
  afterAll(async () => {
    await app.close();
    redis.disconnect();
  });

  it('has an end for each key, and neither address nor name, password or token', async () => {
    const added = [...(await contentsOf(redis))].filter(([key]) => !before.has(key));
    expect(added.length).toBeGreaterThan(0);
    expect(added.filter(([, { ttl }]) => ttl < 0).map(([key]) => key)).toEqual([]);
    const { email, password, token, refreshToken } = alice;
    const text = added.map(([, { dump }]) => dump.toLowerCase()).join('\n');
    for (const value of [email, password, token, refreshToken]) expect(text).not.toContain(value.toLowerCase());
  });
});
