import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { newRecoveryCode } from '../../../../src/auth/factors/recovery-codes/recovery-code.js';
import { signIn, signUp } from '../../../support/actors.js';
import { startApp, type TestApp } from '../../../support/app.js';
import { meanwhile } from '../../../support/meanwhile.js';
import { SampleFactorModule } from '../../../support/sample/sample-factor.module.js';
import {
  enrolFactor,
  halfSignIn,
  halfSignIns,
  removeFactor,
  signInWithFactor,
  type ActorWithFactor,
} from '../../../support/second-factors.js';
import { unlimited } from '../../../support/unlimited.js';
import { decode } from '../../forge.js';
import { device, tryRegister } from '../passkeys/ceremonies.js';
import { visible } from '../../visible.js';
import { proveByRecoveryCode } from './prove.js';

describe('recovery codes (ASVS V6.5) [practice 2.5]', () => {
  let app: TestApp;
  let alice: ActorWithFactor;

  beforeAll(async () => {
    unlimited();
    app = await startApp({ modules: [SampleFactorModule] });
    alice = await enrolFactor(app, await signUp(app, 'alice'));
  });
  afterAll(async () => {
    vi.restoreAllMocks();
    await app.close();
  });

  const create = (token: string, instance = 0) =>
    app.on(instance).request('POST', '/v1/auth/recovery-codes', { token });
  const stateOf = async (token: string) => (await app.request('GET', '/v1/auth/recovery-codes', { token })).body;
  const code = (index: number) => alice.recoveryCodes[index] ?? '';

  it('a code has 125 bits, and a thousand of them differ [ASVS 6.5.2] [ASVS 6.5.3] [ASVS 6.5.4]', () => {
    const codes = Array.from({ length: 1000 }, newRecoveryCode);
    for (const text of codes) expect(text).toMatch(/^([0-9A-HJKMNP-TV-Z]{5}-){4}[0-9A-HJKMNP-TV-Z]{5}$/);
    const letters = new Set(codes.join('').replaceAll('-', ''));
    expect([new Set(codes).size, letters.size]).toEqual([1000, 32]);
    expect(25 * Math.log2(letters.size)).toBeGreaterThanOrEqual(112);
  });

  it('an honest person who lost the phone signs in with a code, and sees how many are left', async () => {
    const half = await halfSignIn(app, alice);
    const { status, body } = await proveByRecoveryCode(app, half, code(0));
    expect([status, body.secondFactors]).toEqual([200, []]);
    expect(decode(body.accessToken).payload['amr']).toEqual(['pwd', 'rcv']);
    expect(await stateOf(body.accessToken)).toEqual({ left: 9, createdAt: expect.any(String) });
    expect((await app.request('POST', '/v1/auth/logout', { token: half })).status).toBe(401);
    const event = await app.auditEvent('authn_recovery_code_used', (row) => row['target_id'] === alice.userId);
    expect(event).toMatchObject({ target_type: 'user', outcome: 'success', details: { left: 9 } });
  });

  it('presents a used code again: 401, an event, and no session [A2-6] [ASVS 6.5.1]', async () => {
    expect((await proveByRecoveryCode(app, await halfSignIn(app, alice), code(1))).status).toBe(200);
    for (const index of app.instances.keys())
      expect((await proveByRecoveryCode(app, await halfSignIn(app, alice), code(1), index)).status).toBe(401);
    await app.auditEvent(
      'authn_factor_fail',
      (row) => (row['details'] as { factor: string }).factor === 'recovery-code',
    );
  });

  it('presents one code 20 times in parallel to all instances: one success [A2-6] [ASVS 6.5.1]', async () => {
    const tokens = await halfSignIns(app, alice, 20);
    const answers = await Promise.all(tokens.map((token, index) => proveByRecoveryCode(app, token, code(2), index)));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, ...Array.from({ length: 19 }, () => 401)]);
  });

  it('a code is read in lower case, without hyphens, and with the letters that people take for digits', async () => {
    const typed = code(3).toLowerCase().replaceAll('-', '').replaceAll('0', 'o').replaceAll('1', 'l');
    expect((await proveByRecoveryCode(app, await halfSignIn(app, alice), typed)).status).toBe(200);
  });

  it("compares the answers to somebody's code, a used one and no code: the same 401 [A2-6]", async () => {
    const bob = await enrolFactor(app, await signUp(app, 'bob'));
    const token = await halfSignIn(app, alice);
    const answers = [];
    for (const text of [bob.recoveryCodes[0] ?? '', code(0), 'x', code(4).slice(0, -1)])
      answers.push(await proveByRecoveryCode(app, token, text));
    const seen = answers.map(visible).map((answer) => ({ ...answer, headers: { ...answer.headers, ratelimit: '' } }));
    expect(seen).toEqual(seen.map(() => seen[0]));
    expect(seen[0]?.status).toBe(401);
  });

  it('makes new codes: step-up, the old ones are worth nothing [ASVS 6.5.6] [ASVS 7.4.3]', async () => {
    const bob = await enrolFactor(app, await signUp(app, 'bob'));
    const [other, own] = [await signInWithFactor(app, bob), await signInWithFactor(app, bob)];
    await app.operate(`UPDATE sessions SET authenticated_at = authenticated_at - interval '6 minutes' WHERE id = $1`, [
      decode(other.token).payload['sid'],
    ]);
    expect(await create(other.token)).toMatchObject({
      status: 401,
      body: { type: expect.stringContaining('step-up-required') },
    });
    const { status, body } = await create(own.token);
    expect([status, new Set(body.codes).size]).toEqual([201, 10]);
    await expect
      .poll(async () => (await app.request('GET', '/v1/users/me', { token: other.token })).status, { timeout: 500 })
      .toBe(401);
    expect((await proveByRecoveryCode(app, await halfSignIn(app, bob), bob.recoveryCodes[0] ?? '')).status).toBe(401);
    expect((await proveByRecoveryCode(app, await halfSignIn(app, bob), body.codes[0])).status).toBe(200);
    await app.auditEvent(
      'authn_recovery_codes_created',
      (row) => row['target_id'] === bob.userId && row['target_type'] === 'user',
    );
  });

  it('makes new codes on all instances at once: ten are left, not eighty', async () => {
    const bob = await enrolFactor(app, await signUp(app, 'bob'));
    const answers = await Promise.all(Array.from({ length: 8 }, (_, index) => create(bob.token, index)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    expect(await app.sql('SELECT id FROM recovery_codes WHERE user_id = $1', [bob.userId])).toHaveLength(10);
  });

  it('codes alone are no second factor: none are made, those left demand nothing [ASVS 6.4.4]', async () => {
    const bob = await signUp(app, 'bob');
    expect((await create(bob.token)).status).toBe(409);
    expect(await app.sql('SELECT 1 FROM recovery_codes WHERE user_id = $1', [bob.userId])).toEqual([]);
    const { recoveryCodes } = await enrolFactor(app, bob);
    expect((await removeFactor(app, bob)).status).toBe(204);
    expect((await create(bob.token)).status).toBe(409);
    expect((await signIn(app, bob)).refreshToken).toBeTruthy();
    expect((await proveByRecoveryCode(app, bob.token, recoveryCodes[0] ?? '')).status).toBe(409);
    expect(await stateOf(bob.token)).toMatchObject({ left: 10 });
  });

  it('leaves codes behind before the owner enrols: replaced, 401 [A2-6] [ASVS 6.3.3]', async () => {
    const owner = await signUp(app, 'alice');
    const thief = await enrolFactor(app, { ...owner, ...(await signIn(app, owner)) });
    expect((await removeFactor(app, thief)).status).toBe(204);
    const enrolled = await enrolFactor(app, { ...owner, ...(await signIn(app, owner)) });
    expect(enrolled.recoveryCodes).toHaveLength(10);
    for (const planted of thief.recoveryCodes)
      expect((await proveByRecoveryCode(app, await halfSignIn(app, owner), planted)).status).toBe(401);
    expect((await proveByRecoveryCode(app, await halfSignIn(app, owner), enrolled.recoveryCodes[0] ?? '')).status).toBe(
      200,
    );
  });

  it("asks for codes while the owner enrols: 401, the owner's codes and session stay [A2-6]", async () => {
    const owner = await signUp(app, 'alice');
    const thief = await signIn(app, owner);
    let enrolled: ActorWithFactor | undefined;
    meanwhile(app, async () => (enrolled = await enrolFactor(app, owner)));
    expect((await create(thief.token)).status).toBe(401);
    expect(await stateOf(owner.token)).toMatchObject({ left: 10 });
    expect(
      (await proveByRecoveryCode(app, await halfSignIn(app, owner), enrolled?.recoveryCodes[0] ?? '')).status,
    ).toBe(200);
  });

  // With: passkeys.
  it('a passkey beside another factor keeps the codes that a person has, and shows none', async () => {
    const bob = await enrolFactor(app, await signUp(app, 'bob'));
    const { status, body } = await tryRegister(app, bob.token, device(app));
    expect([status, body.recoveryCodes]).toEqual([201, null]);
    expect((await proveByRecoveryCode(app, await halfSignIn(app, bob), bob.recoveryCodes[0] ?? '')).status).toBe(200);
  });

  it('plants a code by SQL, as a hash or as a cell of an own code: nobody signs in', async () => {
    const [bob, mallory] = [
      await enrolFactor(app, await signUp(app, 'bob')),
      await enrolFactor(app, await signUp(app, 'mallory')),
    ];
    await expect(
      app.sql(`UPDATE recovery_codes SET hash = repeat('ab', 32) WHERE user_id = $1`, [bob.userId]),
    ).rejects.toThrow(/check constraint/);
    const half = await halfSignIn(app, bob);
    await app.sql(
      'UPDATE recovery_codes SET hash = (SELECT hash FROM recovery_codes WHERE user_id = $2 LIMIT 1) ' +
        'WHERE user_id = $1',
      [bob.userId, mallory.userId],
    );
    for (const text of mallory.recoveryCodes) expect((await proveByRecoveryCode(app, half, text)).status).toBe(500);
    expect(
      await app.sql('SELECT 1 FROM recovery_codes WHERE user_id = $1 AND used_at IS NOT NULL', [bob.userId]),
    ).toEqual([]);
    await app.auditEvent('crypt_decrypt_fail');
  });

  it('reads table, audit trail and logs: no code, and hashes are sealed [ASVS 6.5.2]', async () => {
    const rows = await app.sql<{ hash: string }>('SELECT hash FROM recovery_codes');
    for (const { hash } of rows) expect(hash).toMatch(/^enc:v1:/);
    const places = JSON.stringify([rows, await app.sql('SELECT * FROM audit_events')]) + app.logText();
    for (const text of alice.recoveryCodes)
      for (const spelling of [text, text.replaceAll('-', ''), text.toLowerCase()])
        expect(places).not.toContain(spelling);
  });
});
