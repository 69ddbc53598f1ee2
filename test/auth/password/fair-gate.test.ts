import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { PasswordHasher } from '../../../src/security/data-protection/index.js';
import { signUp, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import type { Answer } from '../../support/http.js';

interface Computing {
  compute(hashed: string, password: string): Promise<boolean>;
}
const prototype = PasswordHasher.prototype as unknown as Computing;
const { compute } = prototype;

describe('a flood of sign-ins from one IPv6 /56 [A4-4] [A2-1] [ASVS 15.4.4] [practice 4.5]', () => {
  let app: TestApp;
  let owner: Actor;
  let newcomer: Actor;
  let deviceToken: string;

  beforeAll(async () => {
    app = await startApp({ instances: 1, env: { TRUSTED_PROXIES: '127.0.0.0/8' } });
    [owner, newcomer] = [await signUp(app, 'owner'), await signUp(app, 'newcomer')];
    const { body } = await login('198.51.100.7', owner);
    deviceToken = body.deviceToken as string;
  });
  afterAll(async () => {
    vi.restoreAllMocks();
    await app.close();
  });

  const login = (address: string, { email, password }: Pick<Actor, 'email' | 'password'>, token?: string) =>
    app.request('POST', '/v1/auth/login', {
      headers: { 'x-forwarded-for': address },
      body: { email, password, deviceToken: token },
    });

  it('fills the gate from 60 of its /64 networks: its overflow gets 503, others sign in', async () => {
    const held = Promise.withResolvers<void>();
    vi.spyOn(prototype, 'compute').mockImplementation(async function (this: Computing, hashed, password) {
      await held.promise;
      return compute.call(this, hashed, password);
    });
    const flood: Answer[] = [];
    const guesses = Array.from({ length: 60 }, async (_, at) => {
      const answer = await login(`2001:db8:0:${(0x12_00 + at).toString(16)}::1`, {
        email: `nobody${at}@example.org`,
        password: 'not the password of anybody',
      });
      flood.push(answer);
    });
    // Whatever finds no place and no room in the line of its neighbourhood is refused while nothing moves.
    await vi.waitFor(() => expect(flood.length).toBeGreaterThan(45), { timeout: 30_000, interval: 20 });
    expect(new Set(flood.map(({ status, headers }) => `${status} ${headers['retry-after']}`))).toEqual(
      new Set(['503 5']),
    );
    const honest = [
      login('198.51.100.7', owner, deviceToken),
      login('203.0.113.9', newcomer),
      login('2001:db8:0:1300::1', owner),
    ];
    held.resolve();
    expect((await Promise.all(honest)).map(({ status }) => status)).toEqual([200, 200, 200]);
    await Promise.all(guesses);
  });
});
