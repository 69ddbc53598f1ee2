import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signUp } from '../../../support/actors.js';
import { startApp, type TestApp } from '../../../support/app.js';
import { limitOf } from '../../../support/declared-limits.js';
import { halfSignIn, halfSignIns } from '../../../support/second-factors.js';
import { enrolTotp, nextCode, prove, wrongCode, type ActorWithApp } from './app.js';
import { proveByRecoveryCode } from '../recovery-codes/prove.js';

describe('whoever knows the password guesses the code (ASVS v5.0.0-6.6.3) [practice 4.5]', () => {
  // With: rate-limiting.
  const { requests: allowed } = limitOf('proof');
  let app: TestApp;
  let alice: ActorWithApp;

  beforeAll(async () => {
    app = await startApp();
    alice = await enrolTotp(app, await signUp(app, 'alice'));
  });
  afterAll(() => app.close());

  // With: rate-limiting.
  it('from new addresses and half sessions: stopped by account after ten [A2-6] [ASVS 6.6.3]', async () => {
    const tokens = await halfSignIns(app, alice, 8);
    const guess = (index: number) =>
      prove(app, tokens[index % tokens.length] ?? '', wrongCode(app, alice.secret), index);
    const answers = await Promise.all(Array.from({ length: 64 }, (_, index) => guess(index)));
    // The enrolment's own code was no guess at the sign-in, and did not count.
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(allowed);
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused).toHaveLength(answers.length - allowed);
    for (const { headers } of refused) expect(Number(headers['retry-after'])).toBeGreaterThan(0);
    await app.auditEvent(
      'excess_rate_limit_exceeded',
      (row) => (row['details'] as { limit: string }).limit === 'proof',
    );
  });

  // With: rate-limiting.
  it('then sends the right code, or a recovery code, by a new half session: 429 [ASVS 6.6.3]', async () => {
    const token = await halfSignIn(app, alice);
    expect((await prove(app, token, nextCode(app, alice.secret))).status).toBe(429);
    // With: recovery-codes.
    expect((await proveByRecoveryCode(app, token, alice.recoveryCodes[0] ?? '')).status).toBe(429);
    // With: recovery-codes.
    expect(
      await app.sql('SELECT 1 FROM recovery_codes WHERE user_id = $1 AND used_at IS NOT NULL', [alice.userId]),
    ).toEqual([]);
  });

  it('the owner is not locked out of a session that is open, and nobody else is slowed down', async () => {
    expect((await app.request('GET', '/v1/users/me', { token: alice.token })).status).toBe(200);
    const bob = await enrolTotp(app, await signUp(app, 'bob'));
    expect((await prove(app, await halfSignIn(app, bob), nextCode(app, bob.secret))).status).toBe(200);
  });
});
