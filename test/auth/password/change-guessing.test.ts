import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectLimitAfter } from '../../security/rate-limiting/limited.js';
import { signUp } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import type { Answer } from '../../support/http.js';

describe('change of a password (ASVS V6.2, V7.4)', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startApp();
  });
  afterAll(() => app.close());

  it('guesses the present password by a stolen session: stopped by account [A2-6] [ASVS 6.3.1]', async () => {
    const { token, email, password } = await signUp(app, 'alice');
    const answers: Answer[] = [];
    for (let guess = 0; guess < 13; guess++) {
      const body = { oldPassword: `a guess number ${guess}`, newPassword: 'violet harbour counts to nine' };
      answers.push(await app.request('POST', '/v1/auth/password/change', { token, body }));
    }
    expectLimitAfter(10, 422, answers);
    // A full bucket of one session locks nobody out.
    expect((await app.request('POST', '/v1/auth/login', { body: { email, password } })).status).toBe(200);
  });
});
