import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import type { TestApp } from '../../support/app.js';
import type { Answer, RequestParts } from '../../support/http.js';

/** A browser as far as sign-ins go: it keeps the cookies of the service, and follows nothing by itself. */
export class Browser {
  private readonly cookies = new Map<string, string>();

  constructor(
    private readonly app: TestApp,
    private readonly instance = 0,
  ) {}

  async request(method: string, path: string, parts: RequestParts = {}): Promise<Answer> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const headers = { ...(cookie === '' ? {} : { cookie }), ...parts.headers };
    const answer = await this.app.on(this.instance).request(method, path, { ...parts, headers });
    for (const text of (answer.headers['set-cookie'] ?? '').split(', ').filter(Boolean)) this.keep(text);
    return answer;
  }

  /** Of a cookie that another browser has. */
  copyCookiesTo(other: Browser): void {
    for (const [name, value] of this.cookies) other.cookies.set(name, value);
  }

  cookie(name: string): string | undefined {
    return this.cookies.get(name);
  }

  setCookie(name: string, value: string): void {
    this.cookies.set(name, value);
  }

  /** Begins a sign-in. @returns the page of the provider. */
  async start(provider: string, query = ''): Promise<URL> {
    const answer = await this.request('GET', `/v1/auth/oidc/${provider}/start${query}`);
    expect([answer.status, answer.body]).toEqual([303, '']);
    return new URL(answer.headers['location'] ?? '');
  }

  callback(provider: string, search: string): Promise<Answer> {
    return this.request('GET', `/v1/auth/oidc/${provider}/callback${search}`);
  }

  /** What the page does after it was led back. */
  finish(body: object = {}): Promise<Answer> {
    return this.request('POST', '/v1/auth/oidc/sign-in', { body });
  }

  private keep(text: string): void {
    const [pair = '', ...attributes] = text.split('; ');
    const at = pair.indexOf('=');
    if (attributes.includes('Max-Age=0')) this.cookies.delete(pair.slice(0, at));
    else this.cookies.set(pair.slice(0, at), pair.slice(at + 1));
  }
}

export const anySubject = (): string => `sub-${randomBytes(6).toString('hex')}`;

/** A step-up is behind every link: the session is fresh. @returns the answer of the callback. */
export async function link(
  browser: Browser,
  provider: string,
  token: string,
  provided: (page: URL) => Promise<string>,
): Promise<Answer> {
  const begun = await browser.request('POST', `/v1/auth/oidc/${provider}/link`, { token, body: {} });
  expect(begun.status).toBe(200);
  return browser.callback(provider, await provided(new URL(begun.body.url as string)));
}

/** What the service is known by at the providers of one test file. */
export const anyPublicUrl = (): string => `https://oidc-${randomBytes(6).toString('hex')}.localhost:8443`;
