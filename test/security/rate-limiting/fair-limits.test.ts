import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signIn, signUp, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { limitOf } from '../../support/declared-limits.js';
import { anotherAddress } from '../../support/http.js';
import { SampleFactorModule } from '../../support/sample/sample-factor.module.js';
import { enrolFactor, halfSignIn, proveFactor, wrongCode } from '../../support/second-factors.js';

describe('limits that nobody can turn against somebody else [practice 4.2]', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startApp({ modules: [SampleFactorModule] });
  });
  afterAll(() => app.close());

  const statusesOf = async (count: number, send: (index: number) => Promise<{ status: number }>) => {
    const statuses: number[] = [];
    for (let index = 0; index < count; index++) statuses.push((await send(index)).status);
    return statuses;
  };
  const change = ({ token }: Pick<Actor, 'token'>, oldPassword: string) =>
    app.request('POST', '/v1/auth/password/change', {
      token,
      body: { oldPassword, newPassword: 'violet harbour counts to nine' },
    });

  it('changes the password by an old stolen session, over and over: the owner can [A2-6] [ASVS 6.1.1]', async () => {
    const thief = await enrolFactor(app, await signUp(app, 'alice'));
    await app.operate(
      `UPDATE sessions SET authenticated_at = authenticated_at - interval '10 minutes' WHERE user_id = $1`,
      [thief.userId],
    );
    app.clock.advance(3);
    expect(await statusesOf(12, () => change(thief, 'a guess'))).toEqual([...Array<number>(10).fill(401), 429, 429]);
    const proved = await proveFactor(app, await halfSignIn(app, thief));
    expect(proved.status).toBe(200);
    expect((await change({ token: proved.body.accessToken as string }, thief.password)).status).toBe(204);
  });

  it.each([
    'sample-factor/verify',
    // With: totp.
    'totp/verify',
    // With: totp.
    'totp/confirm',
    // With: recovery-codes.
    'recovery-codes/verify',
  ])('has a stolen session that is whole, and sends codes to %s: a bucket of its own [A2-6]', async (path) => {
    const send = (token: string) => app.request('POST', `/v1/auth/${path}`, { token, body: { code: wrongCode } });
    const owner = await enrolFactor(app, await signUp(app, 'bob'));
    const statuses = await statusesOf(12, () => send(owner.token));
    expect(statuses.slice(-2)).toEqual([429, 429]);
    expect((await proveFactor(app, await halfSignIn(app, owner))).status).toBe(200);
  });

  it('80 clients behind one address refresh in a minute: none is refused', async () => {
    const alice = await signUp(app, 'alice');
    const from = anotherAddress();
    let { refreshToken } = await signIn(app, alice);
    const statuses = await statusesOf(80, async (index) => {
      const answer = await app.on(index).request('POST', '/v1/auth/refresh', { from, body: { refreshToken } });
      ({ refreshToken } = answer.body as { refreshToken: string });
      return answer;
    });
    expect(new Set(statuses)).toEqual(new Set([200]));
  });

  it('a neighbour fetches the keys until it is refused: refresh, login and factor stay open [API4]', async () => {
    const from = anotherAddress();
    const alice = await signUp(app, 'alice');
    const { refreshToken } = await signIn(app, alice);
    const statuses = await statusesOf(limitOf('anonymous').requests + 1, () =>
      app.request('GET', '/.well-known/jwks.json', { from }),
    );
    expect(statuses.at(-1)).toBe(429);
    expect((await app.request('POST', '/v1/auth/refresh', { from, body: { refreshToken } })).status).toBe(200);
    expect(
      (await app.request('POST', '/v1/auth/login', { from, body: { email: alice.email, password: alice.password } }))
        .status,
    ).toBe(200);
    // With: passkeys.
    expect((await app.request('POST', '/v1/auth/passkeys/sign-in-options', { from })).status).toBe(200);
  });

  it('writes the address of the victim with +1, +2, ... behind the name: as many mails as without [A6-1]', async () => {
    const most = limitOf('mail-account').requests;
    const spellings = [
      'victim@example.org',
      'victim+1@example.org',
      'Victim+a+b@example.org',
      'victim+@example.org',
      ' victim+3@EXAMPLE.org',
    ];
    const statuses = await statusesOf(spellings.length, (index) =>
      app.request('POST', '/v1/auth/register', { body: { email: spellings[index] } }),
    );
    expect(statuses).toEqual(spellings.map((_, index) => (index < most ? 202 : 429)));
    expect((await app.request('POST', '/v1/auth/register', { body: { email: 'victim@example.com' } })).status).toBe(
      202,
    );
  });
});

describe('RATE_LIMIT_SCALE [practice 4.1]', () => {
  it('multiplied by 1,000: load is let through, guesses and mails are not [A2-1] [A4-5]', async () => {
    const app = await startApp({ env: { RATE_LIMIT_SCALE: '1000' } });
    const alice = await signUp(app, 'alice');
    const from = anotherAddress();
    const statuses = async (path: string, body: object, count: number) => {
      const answers = [];
      for (let index = 0; index < count; index++)
        answers.push(
          (await app.request('POST', path, { from, body, token: path.includes('change') ? alice.token : undefined }))
            .status,
        );
      return answers.filter((status) => status !== 429).length;
    };
    expect(await statuses('/v1/auth/login', { email: alice.email, password: 'a guess' }, 12)).toBe(10);
    // With: recovery.
    expect(await statuses('/v1/auth/password/forgot', { email: alice.email }, 5)).toBe(3);
    expect(
      await statuses(
        '/v1/auth/password/change',
        { oldPassword: 'a guess', newPassword: 'violet harbour counts to nine' },
        12,
      ),
    ).toBe(limitOf('credential').requests);
    expect(await statuses('/v1/auth/login', { email: 'somebody.else@example.org', password: 'a guess' }, 10)).toBe(10);
    const { headers } = await app.request('GET', '/.well-known/jwks.json', { from });
    expect(headers['ratelimit-policy']).toContain(`"anonymous";q=${limitOf('anonymous').requests * 1000};`);
    await app.close();
  });
});
