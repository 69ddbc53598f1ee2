// With: detection.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signIn, signUp, type Actor } from '../../support/actors.js';
import { SamplesModule } from '../../support/sample/samples.module.js';
import { createSample } from '../../support/sample/samples.js';
import { mailsOf, operator, Receiving, stored } from './alerting.js';

let receiving: Receiving;
let alice: Actor;
let bob: Actor;
beforeAll(async () => {
  receiving = await Receiving.start({ modules: [SamplesModule], instances: 1 });
  [alice, bob] = [await signUp(receiving.app, 'alice'), await signUp(receiving.app, 'bob')];
});
afterAll(() => receiving.close());

const read = (token: string) => receiving.app.request('GET', '/v1/users/me', { token });

describe('the operator is told of an attack while it happens [practice 10.3] [ASVS 16.3.4]', () => {
  it('changes a sealed cell by SQL, and it is read three times: one mail, without a value', async () => {
    const { app } = receiving;
    const cell = '(SELECT name FROM users WHERE id = $2)';
    await app.sql(`UPDATE users SET phone = ${cell} WHERE id = $1`, [bob.userId, alice.userId]);
    for (let time = 0; time < 3; time++) expect((await read(bob.token)).status).toBe(500);
    await stored(app, 'crypt_decrypt_fail', 3);
    const [mail, ...more] = await mailsOf(app, 'crypt_decrypt_fail');
    expect(more).toEqual([]);
    expect(mail?.text).toContain(`target: User ${bob.userId}`);
    expect(mail?.text).toMatch(/request: [0-9a-f-]{36}/);
    expect(mail?.text).not.toMatch(/alice|enc:v1/);
  });

  it('the same again after five minutes: told again', async () => {
    const { app } = receiving;
    app.clock.advance(5 * 60 + 1);
    expect((await read((await signIn(app, bob)).token)).status).toBe(500);
    await stored(app, 'crypt_decrypt_fail', 4);
    expect(await mailsOf(app, 'crypt_decrypt_fail')).toHaveLength(2);
    await app.sql('UPDATE users SET phone = NULL WHERE id = $1', [bob.userId]);
  });

  it('guesses passwords: the webhook is there within five seconds of the guess that was one too many', async () => {
    const { app } = receiving;
    const body = { email: alice.email, password: 'not the one that she has' };
    for (let guess = 0; guess < 8; guess++) await app.request('POST', '/v1/auth/login', { body });
    const [webhook] = await receiving.arrived('account_failures', 1);
    const arrivedAt = app.clock.now();
    const failure = await app.auditEvent('authn_login_fail', (row) => row['target_id'] === alice.userId);
    expect(arrivedAt.getTime() - (failure['at'] as Date).getTime()).toBeLessThan(5_000);
    expect(JSON.parse(webhook?.body ?? '')).toMatchObject({
      data: { key: alice.userId, runbook: 'password-guessing' },
    });
  });

  it('uses a refresh token twice: the session ends, and the operator hears of the theft [A2-4]', async () => {
    const { app } = receiving;
    const { refreshToken } = await signIn(app, bob);
    await app.request('POST', '/v1/auth/refresh', { body: { refreshToken } });
    app.clock.advance(11);
    expect((await app.request('POST', '/v1/auth/refresh', { body: { refreshToken } })).status).toBe(401);
    await stored(app, 'authn_token_reuse', 1);
    expect(await mailsOf(app, 'authn_token_reuse')).toHaveLength(1);
  });

  it('a credential crosses the wire in clear: the operator hears of it [A8-5]', async () => {
    const { app } = receiving;
    const headers = { authorization: `Bearer ${(await signIn(app, bob)).token}` };
    const url = `http://127.0.0.1:${app.on(0).addresses.http}/v1/users/me`;
    expect((await fetch(url, { headers, redirect: 'manual' })).status).toBe(403);
    await receiving.arrived('authn_credential_in_clear', 1);
    expect(await mailsOf(app, 'authn_credential_in_clear')).toHaveLength(1);
  });

  it('an honest person signs in, writes and reads: nobody is told', async () => {
    const { app } = receiving;
    const before = app.outbox().filter(({ to }) => to === operator).length;
    const { token } = await signIn(app, bob);
    const { id } = await createSample(app, { ...bob, token });
    expect((await app.request('GET', `/v1/samples/${id}`, { token })).status).toBe(200);
    await app.mailQuiet();
    expect(app.outbox().filter(({ to }) => to === operator)).toHaveLength(before);
  });
});
