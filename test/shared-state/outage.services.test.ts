import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { signIn, signUp } from '../support/actors.js';
import { startApp } from '../support/app.js';
import { services } from '../support/profile.js';
import { Relay } from '../support/relay.js';
import { SamplesModule } from '../support/sample/samples.module.js';
import { createSample } from '../support/sample/samples.js';

const chosen = services();

describe('Redis is gone [ASVS 16.5.2] [A4-8]', () => {
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
});

describe('the database is gone [ASVS 16.5.2] [practice 6.2]', () => {
  it('in the middle: 503 with Retry-After, nobody gets in; back again, it goes on [A8-2]', async () => {
    const name = randomBytes(4).toString('hex');
    const app = await startApp({ modules: [SamplesModule], instances: 1 });
    const alice = await signUp(app, `alice-${name}`);
    const { relay, url } = await Relay.to(app.database.url ?? '');
    await app.restart({ env: { DATABASE_URL: url } });
    const { id } = await createSample(app, alice);
    await new Promise((resolve) => setTimeout(resolve, 2_100));
    relay.cut();
    for (const [method, path, parts] of [
      ['GET', `/v1/samples/${id}`, { token: alice.token }],
      ['POST', '/v1/samples', { token: alice.token, body: { title: 'half', body: 'b' } }],
      ['POST', '/v1/auth/login', { body: { email: alice.email, password: alice.password } }],
    ] as const) {
      const refused = await app.request(method, path, parts);
      expect(refused).toMatchObject({ status: 503, body: { type: '/problems/unavailable' } });
      expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
      expect(refused.text).not.toMatch(/prisma|postgres|ECONN|127\.0\.0\.1|select/i);
    }
    relay.restore();
    const { token } = await signIn(app, alice);
    expect((await app.request('GET', `/v1/samples/${id}`, { token })).status).toBe(200);
    expect(await app.sql(`SELECT id FROM samples WHERE title = 'half'`)).toEqual([]);
    await app.close();
    relay.close();
  });
});
