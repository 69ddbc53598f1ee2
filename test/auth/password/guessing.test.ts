import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { LimiterStorage } from '../../../src/security/rate-limiting/limiter-storage.js';
import { signUp, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { limitOf } from '../../support/declared-limits.js';
import { anotherAddress } from '../../support/http.js';
import { visible } from '../visible.js';

const limit = (name: string) => limitOf(name).requests;

describe('guessing and stuffing [practice 4.5] [ASVS 6.3.1]', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startApp();
  });
  afterAll(() => app.close());

  interface Attempt {
    readonly email: string;
    readonly password?: string;
    readonly deviceToken?: string;
    readonly from?: string;
    readonly instance?: number;
  }
  const login = ({ from = anotherAddress(), instance = 0, password = 'a guess of a stranger', ...body }: Attempt) =>
    app.on(instance).request('POST', '/v1/auth/login', { from, body: { password, ...body } });
  const counted = (answers: readonly { status: number }[]) => {
    const counts: Record<number, number> = {};
    for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
    return counts;
  };
  /** So many at once, a few at a time: the hashing gate refuses more. */
  async function flood(count: number, send: (index: number) => Promise<{ status: number }>) {
    const answers: { status: number }[] = [];
    for (let done = 0; done < count; done += 8) {
      answers.push(
        ...(await Promise.all(Array.from({ length: Math.min(8, count - done) }, (_, index) => send(done + index)))),
      );
    }
    return answers;
  }
  /** Signs in and keeps the token of the device, as a client does. */
  const deviceOf = async ({ email, password }: Pick<Actor, 'email' | 'password'>) =>
    (await login({ email, password })).body.deviceToken as string;

  it('1,000 guesses from 500 addresses: a tenth is tried; the known device signs in [A2-1]', async () => {
    const alice = await signUp(app, 'alice');
    const deviceToken = await deviceOf(alice);
    const addresses = Array.from({ length: 500 }, anotherAddress);
    const statuses: number[] = [];
    const answers = await flood(1000, async (index) => {
      if (index % 200 === 100)
        statuses.push(
          (await login({ email: alice.email, password: alice.password, deviceToken, instance: index })).status,
        );
      return login({
        email: alice.email,
        password: `guess number ${index}`,
        from: addresses[index % 500],
        instance: index >> 1,
      });
    });
    const counts = counted(answers);
    expect((counts[401] ?? 0) + (counts[503] ?? 0)).toBeLessThanOrEqual(limit('login-account-hour'));
    expect(counts[429]).toBeGreaterThanOrEqual(900);
    expect(statuses).toEqual([200, 200, 200, 200, 200]);
    await app.auditEvent(
      'excess_rate_limit_exceeded',
      ({ details }) => (details as { limit: string }).limit === 'login-account-hour',
    );
  });

  it('one password on 1,000 accounts from one address: stopped after a few dozen [A2-1]', async () => {
    const from = anotherAddress();
    const answers = await flood(1000, (index) => login({ email: `person${index}@example.org`, from, instance: index }));
    const counts = counted(answers);
    expect((counts[401] ?? 0) + (counts[503] ?? 0)).toBeLessThanOrEqual(limit('login-accounts'));
    expect(counts[429]).toBeGreaterThanOrEqual(970);
  });

  it('tries accounts slowly: stopped by their number; a known device is not [A2-1]', async () => {
    const alice = await signUp(app, 'alice');
    const deviceToken = await deviceOf(alice);
    const increment = LimiterStorage.prototype.increment;
    // As if minutes went by between them.
    vi.spyOn(LimiterStorage.prototype, 'increment').mockImplementation(function (this: LimiterStorage, ...call) {
      return increment.apply(
        this,
        call[4].startsWith('login-network')
          ? [`${call[0]} ${Math.random()}`, ...(call.slice(1) as [number, number, number, string])]
          : call,
      );
    });
    const from = anotherAddress();
    const statuses: number[] = [];
    const most = limit('login-accounts');
    for (let index = 0; index < most + 5; index++)
      statuses.push((await login({ email: `slow${index}@example.org`, from, instance: index })).status);
    expect(statuses).toEqual([...Array<number>(most).fill(401), ...Array<number>(5).fill(429)]);
    expect((await login({ email: 'slow0@example.org', from })).status).toBe(429);
    expect((await login({ email: alice.email, password: alice.password, from })).status).toBe(429);
    expect((await login({ email: alice.email, password: alice.password, from, deviceToken })).status).toBe(200);
    vi.restoreAllMocks();
  });

  it('uses the token of a device with another address, or a changed one: it is none [A2-1]', async () => {
    const [alice, mallory] = [await signUp(app, 'alice'), await signUp(app, 'mallory')];
    const genuine = await deviceOf(alice);
    const others = await deviceOf(mallory);
    const [id, key, mac] = genuine.split('.') as [string, string, string];
    const forged = [
      others,
      `${id}.${key}.${'A'.repeat(43)}`,
      `${id.slice(0, -1)}${id.endsWith('0') ? '1' : '0'}.${key}.${mac}`,
      `${id}.${key}`,
      'x',
    ];
    for (const deviceToken of forged) {
      const { status, body } = await login({ email: alice.email, password: alice.password, deviceToken });
      expect([status, body.deviceToken === deviceToken]).toEqual([200, false]);
    }
    expect(
      (await login({ email: alice.email.toUpperCase(), password: alice.password, deviceToken: genuine })).body
        .deviceToken,
    ).toBe(genuine);
  });

  it('a thief has a device and its token, and guesses: stopped by device [A2-1]', async () => {
    const alice = await signUp(app, 'alice');
    const [stolen, own] = [await deviceOf(alice), await deviceOf(alice)];
    const answers = await flood(20, () => login({ email: alice.email, deviceToken: stolen }));
    expect(counted(answers)).toEqual({ 401: limit('login-device'), 429: 20 - limit('login-device') });
    expect((await login({ email: alice.email, password: alice.password, deviceToken: own })).status).toBe(200);
    expect((await login({ email: alice.email, password: alice.password })).status).toBe(200);
  });

  it('guesses with twelve tokens after a change of the password: the owner signs in [A2-1]', async () => {
    const alice = await signUp(app, 'alice');
    const own = await deviceOf(alice);
    const collected: string[] = [];
    for (let count = 0; count < 12; count++) collected.push(await deviceOf(alice));
    const newPassword = 'violet harbour counts to nine';
    const changed = await app.request('POST', '/v1/auth/password/change', {
      token: alice.token,
      body: { oldPassword: alice.password, newPassword },
    });
    expect(changed.status).toBe(204);
    const answers = await flood(120, (index) =>
      login({ email: alice.email, deviceToken: collected[index % 12] ?? '', instance: index }),
    );
    expect(counted(answers)[429] ?? 0).toBe(0);
    expect((await login({ email: alice.email, password: newPassword, deviceToken: own })).status).toBe(200);
  });

  it('guesses with one token for an hour: thirty guesses are looked at, not forty [A2-1]', async () => {
    const alice = await signUp(app, 'alice');
    const deviceToken = await deviceOf(alice);
    const increment = LimiterStorage.prototype.increment;
    // As if a quarter of an hour went by after each ten.
    vi.spyOn(LimiterStorage.prototype, 'increment').mockImplementation(function (this: LimiterStorage, key, ...rest) {
      return increment.call(this, rest[3] === 'login-device' ? `${key} ${Math.random()}` : key, ...rest);
    });
    const answers = await flood(40, () => login({ email: alice.email, deviceToken }));
    expect(counted(answers)[429]).toBe(40 - limit('login-device-hour'));
    vi.restoreAllMocks();
  });

  it('guesses for a known and an unknown address: the same answers [A2-2] [ASVS 6.3.8]', async () => {
    const alice = await signUp(app, 'alice');
    const series = async (email: string) => {
      const from = anotherAddress();
      const answers = [];
      for (let index = 0; index < limit('login-account') + 2; index++)
        answers.push(visible(await login({ email, from })));
      return answers.map(({ headers, body, ...answer }) => ({
        ...answer,
        headers: { ...headers, 'retry-after': '' },
        body: { ...body, detail: '' },
      }));
    };
    const [known, unknown] = [await series(alice.email), await series('nobody.at.all@example.org')];
    expect(known).toEqual(unknown);
    expect(known.at(-1)?.status).toBe(429);
  });

  it('signs in on a further device: the owner is told; not at the first sign-in [ASVS 6.3.5]', async () => {
    const alice = await signUp(app, 'alice');
    const told = async () =>
      (await app.sql(`SELECT 1 FROM audit_events WHERE action = 'authn_new_device' AND target_id = $1`, [alice.userId]))
        .length;
    expect(await told()).toBe(0);
    const deviceToken = await deviceOf(alice);
    expect(await told()).toBe(1);
    // With: notices.
    await app.mailTo(alice.email, 'A sign-in from a new device');
    await login({ email: alice.email, password: alice.password, deviceToken });
    expect(await told()).toBe(1);
    expect((await login({ email: alice.email, deviceToken: 'x' })).status).toBe(401);
    expect(await told()).toBe(1);
  });

  // With: recovery.
  it('registers an address again and again: another bucket than a reset [ASVS 6.1.1]', async () => {
    const alice = await signUp(app, 'alice');
    const register = () => app.request('POST', '/v1/auth/register', { body: { email: alice.email } });
    for (let count = 0; count < 4; count++) await register();
    expect((await register()).status).toBe(429);
    expect((await app.request('POST', '/v1/auth/password/forgot', { body: { email: alice.email } })).status).toBe(202);
  });

  it('no account is there before somebody registers: a fresh database has no default one [ASVS 6.3.2]', async () => {
    const fresh = await startApp({ instances: 1 });
    expect(await fresh.sql('SELECT id FROM users')).toEqual([]);
    for (const email of ['admin@example.org', 'root@localhost.example', 'test@example.org']) {
      for (const password of ['admin', 'password', 'changeme']) {
        expect((await fresh.request('POST', '/v1/auth/login', { body: { email, password } })).status).toBe(401);
      }
    }
    await fresh.close();
  });
});
