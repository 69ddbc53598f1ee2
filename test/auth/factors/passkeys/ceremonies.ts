import { expect } from 'vitest';
import type { Actor } from '../../../support/actors.js';
import type { TestApp } from '../../../support/app.js';
import { Authenticator, type Lies } from '../../../support/authenticator.js';
import { publicUrl } from '../../forge.js';

export const passkeys = '/v1/auth/passkeys';

/** A device of somebody's, with no passkey on it yet. */
export const device = (app: TestApp, countless = false): Authenticator => new Authenticator(publicUrl(app), countless);

export async function registrationOptions(app: TestApp, token: string) {
  const { status, body } = await app.request('POST', `${passkeys}/registration-options`, { token });
  expect(status).toBe(200);
  return body;
}

export async function signInOptions(app: TestApp) {
  const { status, body } = await app.request('POST', `${passkeys}/sign-in-options`);
  expect(status).toBe(200);
  return body;
}

/** The whole ceremony of a new passkey; the answer may be a refusal. */
export async function tryRegister(app: TestApp, token: string, authenticator: Authenticator, lies: Lies = {}) {
  const credential = authenticator.create(await registrationOptions(app, token), lies);
  return app.request('POST', passkeys, { token, body: { name: 'Blue laptop', credential } });
}

/** Somebody's new passkey. @returns the device and the id of the passkey. */
export async function register(app: TestApp, actor: Pick<Actor, 'token'>, authenticator = device(app)) {
  const { status, body } = await tryRegister(app, actor.token, authenticator);
  expect(status).toBe(201);
  return { authenticator, id: body.passkey.id as string };
}

/** The whole ceremony of a sign-in; the answer may be a refusal. */
export async function trySignIn(app: TestApp, authenticator: Authenticator, lies: Lies = {}) {
  return app.request('POST', `${passkeys}/sign-in`, {
    body: { credential: authenticator.get(await signInOptions(app), lies) },
  });
}

/** Every refused sign-in looks like every other one: nothing tells what was wrong. */
export const refusal = {
  status: 401,
  type: '/problems/unauthenticated',
  detail: 'The passkey was not accepted.',
  challenge: 'Bearer',
};

export const refusalOf = ({ status, body, headers }: Awaited<ReturnType<TestApp['request']>>) => ({
  status,
  type: body.type,
  detail: body.detail,
  challenge: headers['www-authenticate'],
});

export const rowOf = async (app: TestApp, id: string) =>
  (await app.sql('SELECT * FROM passkeys WHERE id = $1', [id]))[0];
