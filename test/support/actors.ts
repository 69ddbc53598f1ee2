import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import { roles } from '../../src/common/access/permissions.js';
import type { TestApp } from './app.js';

/** Somebody who has signed up and signed in through the API. */
export interface Actor {
  readonly name: string;
  readonly userId: string;
  readonly email: string;
  readonly password: string;
  readonly token: string;
  readonly refreshToken: string;
}

/** Signs up, reads the mailed token, verifies and signs in: every actor came by the front door. */
export async function signUp(app: TestApp, name: string): Promise<Actor> {
  const email = `${name}.${randomBytes(4).toString('hex')}@example.org`;
  const password = `correct horse ${randomBytes(9).toString('base64url')}`;
  const registered = await app.request('POST', '/v1/auth/register', { body: { email } });
  expect(registered.status).toBe(202);
  const verified = await app.request('POST', '/v1/auth/email/verify', {
    body: { token: await mailedToken(app, email), password, name },
  });
  expect(verified.status).toBe(201);
  return {
    ...(await signIn(app, { email, password })),
    name,
    userId: (verified.body as { id: string }).id,
    email,
    password,
  };
}

export async function signIn(app: TestApp, { email, password }: { email: string; password: string }) {
  const { status, body } = await app.request('POST', '/v1/auth/login', { body: { email, password } });
  expect(status).toBe(200);
  return { token: body.accessToken as string, refreshToken: body.refreshToken as string };
}

/**
 * The one-time token out of the newest mail to the address that has one. Mail leaves after the answer, so it is waited
 * for.
 */
export async function mailedToken(app: TestApp, email: string): Promise<string> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const mails = app.outbox().filter(({ to }) => to.includes(email));
    const token = mails.flatMap(({ text }) => /\b[A-Za-z0-9_-]{40,}\b/.exec(text)?.[0] ?? []).at(-1);
    if (token !== undefined) return token;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`no mail with a token reached ${email}`);
}

/** An administrator, made as operators make one, then signed in again. */
export const signUpAdministrator = (app: TestApp, name = 'admin'): Promise<Actor> =>
  signUpWith(app, name, ['user', 'admin']);

/** For whom nothing but the input stands in the way, also on a route that only one role may call. */
export const signUpWithEveryRole = (app: TestApp): Promise<Actor> => signUpWith(app, 'omnipotent', roles);

async function signUpWith(app: TestApp, name: string, held: readonly string[]): Promise<Actor> {
  const actor = await signUp(app, name);
  await app.operate('UPDATE users SET roles = $2 WHERE id = $1', [actor.userId, held]);
  return { ...actor, ...(await signIn(app, actor)) };
}

/** An address that nobody has had before. */
export const anyEmail = (): string => `someone.${randomBytes(6).toString('hex')}@example.org`;
