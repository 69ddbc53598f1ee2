import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { LimiterStorage } from '../../../src/security/rate-limiting/limiter-storage.js';
import { PasswordHasher } from '../../../src/security/data-protection/index.js';
import { signUp, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { limitOf } from '../../support/declared-limits.js';
import { anotherAddress } from '../../support/http.js';
import { SampleFactorModule } from '../../support/sample/sample-factor.module.js';
import { enrolFactor, halfSignIn, proveFactor, wrongCode } from '../../support/second-factors.js';

let app: TestApp;
let alice: Actor;

beforeAll(async () => {
  app = await startApp({ modules: [SampleFactorModule] });
  alice = await signUp(app, 'alice');
});
afterAll(() => app.close());

const [everyRequest, anonymous, user] = [limitOf('network'), limitOf('anonymous'), limitOf('user')];

const withoutSeconds = (field = '') => field.replace(/;t=\d+/g, '');

/** Sends n requests, to the instances in turn, and counts the statuses. */
/** Sign-ins go eight at once: of more from one network the hashing gate refuses some with 503. */
const atTheGate = 8;

async function flood(
  n: number,
  send: (index: number) => Promise<{ status: number }>,
  atOnce = 50,
): Promise<Record<number, number>> {
  const counts: Record<number, number> = {};
  for (let done = 0; done < n; done += atOnce) {
    const answers = await Promise.all(
      Array.from({ length: Math.min(atOnce, n - done) }, (_, index) => send(done + index)),
    );
    for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  }
  return counts;
}

describe('rate limiting [practice 4.1] [practice 4.2]', () => {
  it('a guest asks too often: 429 with its fields, the same on all instances [A4-8] [ASVS 2.4.1]', async () => {
    const from = anotherAddress();
    const jwks = (index: number) => app.on(index).request('GET', '/.well-known/jwks.json', { from });
    const counts = await flood(anonymous.requests + 20, jwks);
    expect(counts).toEqual({ 200: anonymous.requests, 429: 20 });
    const refused = await jwks(1);
    expect(refused).toMatchObject({ status: 429, body: { type: '/problems/too-many-requests' } });
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect(refused.headers['ratelimit']).toMatch(/"anonymous";r=0;t=\d+$/);
    expect(refused.headers['ratelimit-policy']).toContain(
      `"anonymous";q=${anonymous.requests};w=${anonymous.windowSeconds}`,
    );
    await app.auditEvent(
      'excess_rate_limit_exceeded',
      ({ details }) => (details as { limit: string }).limit === 'anonymous',
    );
  });

  it.each([
    ['no credential', undefined],
    ['a forged one', 'eyJhbGciOiJFUzI1NiJ9.e30.AAAA'],
  ])(
    'is refused by authentication too often, with %s: counted as the guest that it is [A4-8] [ASVS 2.4.1]',
    async (_what, token) => {
      const from = anotherAddress();
      const neighbour = await signUp(app, 'neighbour');
      const me = (index: number) =>
        app.on(index).request('GET', '/v1/users/me', { from, ...(token === undefined ? {} : { token }) });
      expect(await flood(anonymous.requests + 20, me)).toEqual({ 401: anonymous.requests, 429: 20 });
      expect((await app.request('GET', '/v1/users/me', { from, token: neighbour.token })).status).toBe(200);
      expect(
        (await app.request('POST', '/v1/auth/refresh', { from, body: { refreshToken: neighbour.refreshToken } }))
          .status,
      ).toBe(200);
    },
  );

  it('somebody who is signed in gets more than a guest, from any number of addresses [practice 4.2]', async () => {
    expect(user.requests).toBeGreaterThan(anonymous.requests);
    const counts = await flood(user.requests + 10, (index) =>
      app.on(index).request('GET', '/v1/users/me', { token: alice.token }),
    );
    expect(counts).toEqual({ 200: user.requests, 429: 10 });
  });

  it('knows the password, not the second factor, and asks in a loop: the owner goes on [API4]', async () => {
    const owner = await enrolFactor(app, await signUp(app, 'owner'));
    const half = await halfSignIn(app, owner);
    const counts = await flood(user.requests + 10, (index) =>
      app.on(index).request('GET', '/v1/users/me', { token: half }),
    );
    expect(counts).toEqual({ 401: user.requests, 429: 10 });
    expect((await app.request('GET', '/v1/users/me', { token: owner.token })).status).toBe(200);
  });

  it('guesses the second factor with one half of a sign-in after the other: counted together [A2-6]', async () => {
    const owner = await enrolFactor(app, await signUp(app, 'guessed'));
    const most = limitOf('proof').requests;
    const statuses: number[] = [];
    for (let guess = 0; guess <= most; guess += 3) {
      const half = await halfSignIn(app, owner);
      for (let times = 0; times < 3; times++) statuses.push((await proveFactor(app, half, wrongCode)).status);
    }
    expect(statuses.slice(0, most + 1)).toEqual([...Array.from({ length: most }, () => 401), 429]);
  });

  it('guesses one account from one network: stopped; elsewhere works [A2-1] [practice 4.5]', async () => {
    const victim = await signUp(app, 'victim');
    const from = anotherAddress();
    const login = (password: string, address: string) =>
      app.request('POST', '/v1/auth/login', { from: address, body: { email: victim.email.toUpperCase(), password } });
    const account = limitOf('login-account');
    const counts = await flood(account.requests + 5, () => login('wrong password', from), atTheGate);
    expect(counts).toEqual({ 401: account.requests, 429: 5 });
    expect((await login(victim.password, from)).status).toBe(429);
    expect((await login(victim.password, anotherAddress())).status).toBe(200);
  });

  it('tries one password on many accounts from one network: stopped [A2-1]', async () => {
    const from = anotherAddress();
    const network = limitOf('login-network');
    const bodyOf = (index: number) => ({ email: `nobody${index}@example.org`, password: 'Passw0rd' });
    const login = (index: number) => app.request('POST', '/v1/auth/login', { from, body: bodyOf(index) });
    const counts = await flood(network.requests + 10, login, atTheGate);
    expect(counts).toEqual({ 401: network.requests, 429: 10 });
  });

  it('writes the address of the victim with white space around it: the same bucket [A4-6]', async () => {
    const from = anotherAddress();
    const account = limitOf('login-account');
    const spelling = (index: number) => `${' '.repeat(index * 20)}Padded@example.org${' '.repeat(index)}`;
    const bodyOf = (index: number) => ({ email: spelling(index), password: 'wrong password' });
    const login = (index: number) => app.request('POST', '/v1/auth/login', { from, body: bodyOf(index) });
    const counts = await flood(account.requests + 5, login, atTheGate);
    expect(counts).toEqual({ 401: account.requests, 429: 5 });
  });

  it('floods routes that do not exist, and bodies that are no JSON: counted [practice 4.1]', async () => {
    const from = anotherAddress();
    const attempt = (index: number) =>
      index % 2 === 0
        ? app.request('GET', `/nowhere/${index}`, { from })
        : app.request('POST', '/v1/auth/login', { from, raw: '{' });
    const counts = await flood(everyRequest.requests + 20, attempt);
    expect(counts).toEqual({ 400: everyRequest.requests / 2, 404: everyRequest.requests / 2, 429: 20 });
  });

  it('has mails sent to one victim from many addresses: capped, and no further mail leaves [A4-5]', async () => {
    const email = 'mail-victim@example.org';
    const account = limitOf('mail-account');
    const most = account.requests;
    const counts = await flood(most + 5, () => app.request('POST', '/v1/auth/register', { body: { email } }));
    expect(counts).toEqual({ 202: most, 429: 5 });
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(app.outbox().filter(({ to }) => to.includes(email))).toHaveLength(most);
  });

  it.each(['X-Forwarded-For', 'Forwarded', 'X-Real-IP', 'True-Client-IP'])(
    'rotates %s: the same bucket, nobody is believed by default [A4-6] [practice 4.4] [ASVS 15.3.4]',
    async (header) => {
      const from = anotherAddress();
      const counts = await flood(anonymous.requests + 5, (index) =>
        app.request('GET', '/.well-known/jwks.json', { from, headers: { [header]: `198.51.100.${index}` } }),
      );
      expect(counts).toEqual({ 200: anonymous.requests, 429: 5 });
    },
  );

  it('evades by HEAD and by query: the same bucket [A4-6]', async () => {
    const from = anotherAddress();
    const counts = await flood(anonymous.requests + 5, (index) =>
      app.request(index % 2 === 0 ? 'HEAD' : 'GET', '/.well-known/jwks.json', { from }),
    );
    expect(counts[429]).toBe(5);
  });

  it('writes the path of the login in other ways, on all instances: no further guess is looked at [A4-6]', async () => {
    const looked = vi.spyOn(PasswordHasher.prototype, 'verify');
    const from = anotherAddress();
    const spellings = ['/v1/auth/login', '/v1/auth/login/', '/V1/Auth/LOGIN', '/v1/auth/lo%67in', '/v1//auth/login'];
    const body = { email: 'spelled@example.org', password: 'wrong password' };
    const account = limitOf('login-account');
    const login = (index: number) =>
      app.on(index).request('POST', spellings[index % spellings.length] ?? '', { from, body });
    await flood(account.requests * spellings.length, login, 5);
    expect(looked).toHaveBeenCalledTimes(account.requests);
    expect((await login(0)).status).toBe(429);
    looked.mockRestore();
  });

  it('asks whether somebody else has used an address: the fields tell nothing [ASVS 6.3.8]', async () => {
    const register = () => app.request('POST', '/v1/auth/register', { body: { email: 'probed@example.org' } });
    const [first, second] = [await register(), await register()];
    expect(first.headers['ratelimit']).not.toContain('account');
    expect(withoutSeconds(second.headers['ratelimit'])).toBe(withoutSeconds(first.headers['ratelimit']));
  });

  it('the counters hold no e-mail address [ASVS 14.2.2]', async () => {
    const increment = vi.spyOn(LimiterStorage.prototype, 'increment');
    await app.request('POST', '/v1/auth/login', { body: { email: 'counted@example.org', password: 'wrong password' } });
    const keys = increment.mock.calls.map(([key]) => key);
    expect(keys.length).toBeGreaterThanOrEqual(3);
    expect(keys.filter((key) => /counted|example|@/.test(key))).toEqual([]);
  });

  it('has a whole /64 of IPv6 addresses: one bucket; the next /64 is another client [A4-6]', async () => {
    const behind = await startApp({ instances: 1, env: { TRUSTED_PROXIES: '127.0.0.0/8' } });
    const jwks = (address: string) =>
      behind.request('GET', '/.well-known/jwks.json', { headers: { 'x-forwarded-for': address } });
    const spelling = (index: number) =>
      index % 2 === 0 ? `2001:db8:1:2::${index.toString(16)}` : `2001:0DB8:0001:0002:${index}:5:6:7`;
    const counts = await flood(anonymous.requests + 5, (index) => jwks(spelling(index)));
    expect(counts).toEqual({ 200: anonymous.requests, 429: 5 });
    expect((await jwks('2001:db8:1:3::1')).status).toBe(200);
    await behind.close();
  });

  it('a trusted proxy passes on rubbish as the address: the limit counts the proxy [A4-6]', async () => {
    const behind = await startApp({ instances: 1, env: { TRUSTED_PROXIES: '127.0.0.0/8' } });
    const from = anotherAddress();
    const counts = await flood(anonymous.requests + 5, (index) =>
      behind.request('GET', '/.well-known/jwks.json', { from, headers: { 'x-forwarded-for': `rubbish-${index}` } }),
    );
    expect(counts).toEqual({ 200: anonymous.requests, 429: 5 });
    await behind.close();
  });
});
