import { availableParallelism } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signIn, signUp, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { timing } from '../../support/timing.js';

const mebibyte = 1024 * 1024;

describe('more logins than the service can hash, at full argon2 cost [A4-4] [ASVS 15.4.4]', () => {
  let app: TestApp;
  let alice: Actor;

  beforeAll(async () => {
    app = await startApp({
      instances: 1,
      env: { ARGON2_MEMORY_KIB: '65536', ARGON2_PASSES: '3', RATE_LIMIT_SCALE: '1000' },
    });
    alice = await signUp(app, 'alice');
  });
  afterAll(() => app.close());

  it(
    'floods it with 200 logins of the longest passwords: 503, bounded memory, a reader is served',
    timing,
    async () => {
      const before = process.memoryUsage().rss;
      const state = { most: 0, flooding: true };
      const password = 'x'.repeat(256);
      const flood = Array.from({ length: 200 }, (_, at) =>
        app.request('POST', '/v1/auth/login', { body: { email: `nobody${at}@example.org`, password } }),
      );
      const reads: number[] = [];
      const reader = async () => {
        do {
          state.most = Math.max(state.most, process.memoryUsage().rss);
          reads.push((await app.request('GET', '/v1/users/me', { token: alice.token })).status);
        } while (state.flooding);
      };
      const [answers] = await Promise.all([Promise.all(flood).finally(() => (state.flooding = false)), reader()]);
      const surplus = answers.filter(({ status }) => status === 503);
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401, 503]));
      expect(surplus.length).toBeGreaterThan(50);
      expect(new Set(surplus.map(({ headers }) => headers['retry-after']))).toEqual(new Set(['5']));
      expect(new Set(reads)).toEqual(new Set([200]));
      // 200 at once would take 12,800 MiB; so many as have a place take 64 each, the rest is the test itself.
      expect((state.most - before) / mebibyte).toBeLessThan(64 * availableParallelism() + 500);
      await signIn(app, alice);
    },
  );
});
