import { expect } from 'vitest';
import type { Actor } from '../../../support/actors.js';
import type { TestApp } from '../../../support/app.js';
import type { Answer } from '../../../support/http.js';
import { halfSignIn } from '../../../support/second-factors.js';
import { totpCode } from '../../../support/totp.js';

/** Somebody who has an authenticator app, and has written the recovery codes down. */
export interface ActorWithApp extends Actor {
  readonly secret: string;
  readonly recoveryCodes: readonly string[];
}

/** Enrols as a person does. The actor's session has to be fresh. */
export async function enrolTotp(app: TestApp, actor: Actor): Promise<ActorWithApp> {
  const begun = await app.request('POST', '/v1/auth/totp', { token: actor.token });
  expect(begun.status).toBe(201);
  const { secret } = begun.body as { secret: string };
  const confirmed = await app.request('POST', '/v1/auth/totp/confirm', {
    token: actor.token,
    body: { code: nextCode(app, secret) },
  });
  expect(confirmed.status).toBe(200);
  const { tokens, recoveryCodes } = confirmed.body as {
    tokens: { accessToken: string; refreshToken: string } | null;
    recoveryCodes: string[] | null;
  };
  const renewed = tokens === null ? {} : { token: tokens.accessToken, refreshToken: tokens.refreshToken };
  return { ...actor, ...renewed, secret, recoveryCodes: recoveryCodes ?? [] };
}

/** A code that nobody has used: each works once, so half a minute goes by. */
export function nextCode(app: TestApp, secret: string): string {
  app.clock.advance(30);
  return totpCode(secret, app.clock.now());
}

/** A text that is no code of the app at this moment. */
export const wrongCode = (app: TestApp, secret: string): string => {
  const near = [-30, 0, 30].map((seconds) => totpCode(secret, new Date(app.clock.now().getTime() + seconds * 1000)));
  return ['000000', '000001', '000002', '000003'].find((code) => !near.includes(code)) ?? '';
};

/** Password and code. */
export async function signInWithCode(
  app: TestApp,
  actor: ActorWithApp,
): Promise<{ token: string; refreshToken: string }> {
  const { status, body } = await prove(app, await halfSignIn(app, actor), nextCode(app, actor.secret));
  expect(status).toBe(200);
  return { token: body.accessToken as string, refreshToken: body.refreshToken as string };
}

export const prove = (app: TestApp, token: string, code: string, instance = 0): Promise<Answer> =>
  app.on(instance).request('POST', '/v1/auth/totp/verify', { token, body: { code } });
