// With: rate-limiting.

import { describe, expect, it, vi } from 'vitest';
import { PasswordHasher } from '../../src/security/data-protection/index.js';
import { startApp } from '../support/app.js';
import { limitOf } from '../support/declared-limits.js';
import { anotherAddress } from '../support/http.js';

describe('Redis is gone [ASVS 16.5.2] [A4-8]', () => {
  it('from the start: the service answers, and each instance limits by itself', async () => {
    const app = await startApp({ instances: 1, env: { REDIS_URL: 'redis://127.0.0.1:1' } });
    const from = anotherAddress();
    const { requests } = limitOf('anonymous');
    const counts: Record<number, number> = {};
    for (let sent = 0; sent < requests + 5; sent++) {
      const { status } = await app.request('GET', '/.well-known/jwks.json', { from });
      counts[status] = (counts[status] ?? 0) + 1;
    }
    expect(counts).toEqual({ 200: requests, 429: 5 });
    await app.close();
  });

  it('from the start, and somebody guesses: half as many are looked at [A2-1]', async () => {
    const app = await startApp({ instances: 1, env: { REDIS_URL: 'redis://127.0.0.1:1' } });
    const looked = vi.spyOn(PasswordHasher.prototype, 'verify');
    const from = anotherAddress();
    const half = limitOf('login-account').requests / 2;
    const statuses: number[] = [];
    for (let sent = 0; sent < half + 2; sent++) {
      const body = { email: 'guessed@example.org', password: `guess ${sent}` };
      statuses.push((await app.request('POST', '/v1/auth/login', { from, body })).status);
    }
    expect(statuses).toEqual([...Array.from({ length: half }, () => 401), 429, 429]);
    expect(looked).toHaveBeenCalledTimes(half);
    expect(app.logText()).toContain('each instance limits by itself meanwhile');
    looked.mockRestore();
    await app.close();
  });
});
