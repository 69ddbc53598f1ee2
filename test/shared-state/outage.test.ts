import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { limitsAfterAuthentication } from '../../src/security/rate-limiting/limits.js';
import { signIn, signUp } from '../support/actors.js';
import { startApp } from '../support/app.js';
import { anotherAddress } from '../support/http.js';
import { profile } from '../support/profile.js';
import { Relay } from '../support/relay.js';
import { createResource } from '../support/resources.js';

const chosen = profile();

describe('Redis is gone [ASVS 16.5.2] [A4-8]', () => {
  it('from the start: the service answers, and each instance limits by itself', async () => {
    const app = await startApp({ instances: 1, env: { REDIS_URL: 'redis://127.0.0.1:1' } });
    const from = anotherAddress();
    const { requests } = limitsAfterAuthentication.anonymous;
    const counts: Record<number, number> = {};
    for (let sent = 0; sent < requests + 5; sent++) {
      const { status } = await app.request('GET', '/.well-known/jwks.json', { from });
      counts[status] = (counts[status] ?? 0) + 1;
    }
    expect(counts).toEqual({ 200: requests, 429: 5 });
    await app.close();
  });

  if (chosen.name === 'services') {
    it('in the middle: no request hangs or fails, logout still acts here at once and there within 2 s', async () => {
      const { relay, url } = await Relay.to(chosen.redisUrl);
      const app = await startApp({ env: { REDIS_URL: url } });
      const alice = await signUp(app, 'alice');
      relay.cut();
      for (let index = 0; index < 10; index++) {
        expect((await app.on(index).request('GET', '/v1/users/me', { token: alice.token })).status).toBe(200);
      }
      expect((await app.on(0).request('POST', '/v1/auth/logout', { token: alice.token })).status).toBe(204);
      expect((await app.on(0).request('GET', '/v1/users/me', { token: alice.token })).status).toBe(401);
      await new Promise((resolve) => setTimeout(resolve, 2_100));
      expect((await app.on(1).request('GET', '/v1/users/me', { token: alice.token })).status).toBe(401);
      relay.restore();
      await app.close();
      relay.close();
    });
  }
});

if (chosen.name === 'services') {
  describe('the database is gone [ASVS 16.5.2] [practice 6.2]', () => {
    it('in the middle: 503 with Retry-After and nothing internal, nobody gets in; back again, it goes on by itself [A8-2]', async () => {
      const name = randomBytes(4).toString('hex');
      const app = await startApp({ instances: 1 });
      const alice = await signUp(app, `alice-${name}`);
      const { relay, url } = await Relay.to(app.database.url ?? '');
      await app.restart({ env: { DATABASE_URL: url } });
      const { id } = await createResource(app, alice);
      await new Promise((resolve) => setTimeout(resolve, 2_100));
      relay.cut();
      for (const [method, path, parts] of [
        ['GET', `/v1/resources/${id}`, { token: alice.token }],
        ['POST', '/v1/resources', { token: alice.token, body: { title: 'half', body: 'b' } }],
        ['POST', '/v1/auth/login', { body: { email: alice.email, password: alice.password } }],
      ] as const) {
        const refused = await app.request(method, path, parts);
        expect(refused).toMatchObject({ status: 503, body: { type: '/problems/unavailable' } });
        expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
        expect(refused.text).not.toMatch(/prisma|postgres|ECONN|127\.0\.0\.1|select/i);
      }
      relay.restore();
      const { token } = await signIn(app, alice);
      expect((await app.request('GET', `/v1/resources/${id}`, { token })).status).toBe(200);
      expect(await app.sql(`SELECT id FROM resources WHERE title = 'half'`)).toEqual([]);
      await app.close();
      relay.close();
    });
  });
}
