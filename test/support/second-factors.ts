import { expect } from 'vitest';
import type { Actor } from './actors.js';
import type { TestApp } from './app.js';
import type { Answer } from './http.js';

// Half a sign-in and a whole one, by the sample factor: whichever methods the service has.

const rightCode = '271828';
export const wrongCode = '000000';

/** Somebody who has a second factor, and has written the recovery codes down, where there are any. */
export interface ActorWithFactor extends Actor {
  readonly recoveryCodes: readonly string[];
}

/** The session of the actor has to be fresh. For apps with `SampleFactorModule`. */
export async function enrolFactor(app: TestApp, actor: Actor): Promise<ActorWithFactor> {
  const { status, body } = await app.request('POST', '/v1/auth/sample-factor', {
    token: actor.token,
    body: { code: rightCode },
  });
  expect([status, body.tokens]).toEqual([201, null]);
  return { ...actor, recoveryCodes: (body.recoveryCodes as string[] | null) ?? [] };
}

export const removeFactor = (app: TestApp, { token }: Pick<Actor, 'token'>): Promise<Answer> =>
  app.request('DELETE', '/v1/auth/sample-factor', { token });

export const proveFactor = (app: TestApp, token: string, code = rightCode): Promise<Answer> =>
  app.request('POST', '/v1/auth/sample-factor/verify', { token, body: { code } });

/** Password and second factor. */
export async function signInWithFactor(app: TestApp, actor: Actor): Promise<{ token: string; refreshToken: string }> {
  const { status, body } = await proveFactor(app, await halfSignIn(app, actor));
  expect(status).toBe(200);
  return { token: body.accessToken as string, refreshToken: body.refreshToken as string };
}

/** The password is right, and a second factor is due: the access token of that state. */
export async function halfSignIn(app: TestApp, { email, password }: Actor): Promise<string> {
  const { status, body } = await app.request('POST', '/v1/auth/login', { body: { email, password } });
  expect([status, body.refreshToken]).toEqual([200, null]);
  return body.accessToken as string;
}

/** One after the other: of many at once from one network, most get 503. @public: every user of it can be removed. */
export async function halfSignIns(app: TestApp, actor: Actor, count: number): Promise<string[]> {
  const tokens: string[] = [];
  while (tokens.length < count) tokens.push(await halfSignIn(app, actor));
  return tokens;
}
