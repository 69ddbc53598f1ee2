import { ApplicationConfig } from '@nestjs/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signUp, type Actor } from './support/actors.js';
import { startApp, type TestApp } from './support/app.js';
import { limitOf } from './support/declared-limits.js';
import { anotherAddress } from './support/http.js';

let app: TestApp;
let alice: Actor;

beforeAll(async () => {
  app = await startApp();
  alice = await signUp(app, 'alice');
});
afterAll(() => app.close());

describe('the order in which a request meets the practices [practice 11.1]', () => {
  it('global guards run as the table lists them: an import between practices would reorder them', () => {
    const guards = app.on(0).service.app.get(ApplicationConfig).getGlobalGuards();
    expect(guards.map((guard) => guard.constructor.name)).toEqual([
      // With: response.
      'LockdownGuard',
      // With: rate-limiting.
      'RouteLimitGuard',
      'AuthenticationGuard',
      // With: load-shedding.
      'LoadSheddingGuard',
      // With: rate-limiting.
      'CallerLimitGuard',
      'AuthorizationGuard',
      'UndeclaredInputGuard',
      // With: unsent-answers.
      'UnsentAnswersGuard',
    ]);
  });

  it('global interceptors: the outermost writes the record, so that shaping the answer is in its time', () => {
    const interceptors = app.on(0).service.app.get(ApplicationConfig).getGlobalInterceptors();
    expect(interceptors.map((interceptor) => interceptor.constructor.name)).toEqual([
      // With: logging.
      'RequestLogInterceptor',
      'AnswerInterceptor',
    ]);
  });

  // With: rate-limiting.
  it('a flood with forged tokens is limited before any token is verified: 429, not 401', async () => {
    const from = anotherAddress();
    const login = limitOf('login-network');
    const send = (index: number) =>
      app.request('POST', '/v1/auth/login', { from, token: 'forged.to.ken', body: { email: `${index}@example.org` } });
    for (let index = 0; index < (login?.requests ?? 0); index++) expect((await send(index)).status).toBe(401);
    expect((await send(-1)).status).toBe(429);
  });

  it('nobody learns the form of an input before authentication: 401, not 422', async () => {
    expect((await app.request('PATCH', '/v1/users/me', { body: { wrong: true } })).status).toBe(401);
  });

  it('nobody learns the form of an input before authorization: 403, not 422', async () => {
    const path = `/v1/users/${alice.userId}/roles`;
    expect((await app.request('PATCH', path, { token: alice.token, body: { wrong: true } })).status).toBe(403);
  });

  it('a body that is no JSON is refused before anything is asked: 400', async () => {
    expect((await app.request('PATCH', '/v1/users/me', { raw: '{' })).status).toBe(400);
  });
});
