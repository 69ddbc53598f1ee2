import { expect } from 'vitest';
import type { Actor } from '../../support/actors.js';
import type { TestApp } from '../../support/app.js';
import type { Answer } from '../../support/http.js';

export const listedOrigin = 'https://app.example.org';
export const cleared = '__Host-refresh=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Strict';

/** What a browser sends with a request of the service's own page. */
export const ownPage = (app: TestApp, instance = 0): Record<string, string> => {
  return {
    'sec-fetch-site': 'same-origin',
    'origin': `https://localhost:${app.on(instance).addresses.https}`,
    'content-type': 'application/json',
  };
};

/** The `name=value` that the browser would send back. */
export const cookieOf = ({ headers }: Answer): string => headers['set-cookie']?.split(';')[0] ?? '';

export async function signInBrowser(
  app: TestApp,
  { email, password }: Pick<Actor, 'email' | 'password'>,
  token?: string,
) {
  const answer = await app.request('POST', '/v1/auth/login', {
    body: { email, password, inBrowser: true },
    headers: ownPage(app),
    ...(token && { token }),
  });
  expect(answer.status).toBe(200);
  return { answer, token: answer.body.accessToken as string, cookie: cookieOf(answer) };
}

export const refreshInBrowser = (app: TestApp, cookie: string, instance = 0) =>
  app.on(instance).request('POST', '/v1/auth/refresh', { raw: '{}', headers: { ...ownPage(app, instance), cookie } });
