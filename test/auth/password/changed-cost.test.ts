import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { PasswordHasher } from '../../../src/security/data-protection/index.js';
import { signIn, signUp, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';

const [two, three] = ['m=19456,t=2,p=1', 'm=19456,t=3,p=1'];

interface Computing {
  parametersOf(hashed: string): string;
  compute(hashed: string, password: string): Promise<boolean>;
}
const prototype = PasswordHasher.prototype as unknown as Computing;
const { compute } = prototype;

// Which work a sign-in does is counted where it is done; test/auth/enumeration.slow.test.ts measures the times.
describe('the cost of the hashes is changed [A2-2] [ASVS 6.3.8] [practice 4.5]', () => {
  let app: TestApp;
  let ann: Actor;
  let bob: Actor;
  const computed: string[] = [];

  beforeAll(async () => {
    vi.spyOn(prototype, 'compute').mockImplementation(function (this: Computing, hashed, password) {
      computed.push(this.parametersOf(hashed));
      return compute.call(this, hashed, password);
    });
    app = await startApp({ instances: 1, env: { ARGON2_PASSES: '2' } });
    [ann, bob] = [await signUp(app, 'ann'), await signUp(app, 'bob')];
  });
  afterAll(async () => {
    vi.restoreAllMocks();
    await app.close();
  });

  /** The sets of parameters that a guess was hashed with. */
  async function workFor(email: string): Promise<string[]> {
    computed.length = 0;
    const { status } = await app.request('POST', '/v1/auth/login', {
      body: { email, password: 'not the password of anybody' },
    });
    expect(status).toBe(401);
    return [...computed];
  }
  async function workForAll(): Promise<string[][]> {
    const work = [];
    for (const email of [ann.email, bob.email, 'nobody@example.org']) work.push(await workFor(email));
    return work;
  }

  it('guesses before the change: one hash for everybody', async () => {
    expect(await workForAll()).toEqual([[two], [two], [two]]);
  });

  it('guesses after the cost went up, with hashes of both: the same two hashes for everybody', async () => {
    await app.restart({ env: { ARGON2_PASSES: '3' } });
    expect(await workForAll()).toEqual([[two], [two], [two]]);
    await signIn(app, bob);
    expect(await workForAll()).toEqual([
      [two, three],
      [two, three],
      [two, three],
    ]);
  });

  it('guesses the present password of a session: the same work again', async () => {
    computed.length = 0;
    const body = { oldPassword: 'not the password of anybody', newPassword: 'nine slow ferries cross the quiet sound' };
    expect((await app.request('POST', '/v1/auth/password/change', { token: bob.token, body })).status).toBe(422);
    expect(computed).toEqual([two, three]);
  });

  it('nobody has the old cost any more: it is not worked for any longer', async () => {
    await signIn(app, ann);
    expect(await workForAll()).toEqual([[three], [three], [three]]);
  });

  it('guesses after the cost went down: the same two hashes for everybody, old accounts and new ones', async () => {
    await app.restart({ env: { ARGON2_PASSES: '2' } });
    const eve = await signUp(app, 'eve');
    expect([...(await workForAll()), await workFor(eve.email)]).toEqual(Array.from({ length: 4 }, () => [two, three]));
  });

  it('starts with hashes without a note of their parameters: noted before anybody signs in', async () => {
    await app.sql('UPDATE password_credentials SET parameters = NULL');
    const before = await app.sql('SELECT user_id, updated_at FROM password_credentials ORDER BY user_id');
    await app.restart();
    expect(await workForAll()).toEqual(Array.from({ length: 3 }, () => [two, three]));
    expect(await app.sql('SELECT user_id, updated_at FROM password_credentials ORDER BY user_id')).toEqual(before);
  });
});
