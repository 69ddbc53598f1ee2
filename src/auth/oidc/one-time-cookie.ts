import { parseCookie, stringifySetCookie } from 'cookie';
import { requestContext } from '../../common/http/request-context.js';
import type { OneTimeTokens, TokenKind } from '../one-time-tokens/one-time-tokens.service.js';

interface CookieForm {
  /** `__Host-`: from this very host, over HTTPS, with the path `/` (ASVS v5.0.0-3.3.1, 3.3.3). */
  readonly name: `__Host-${string}`;
  /** `lax` where a page of somebody else leads here. */
  readonly sameSite: 'lax' | 'strict';
  readonly kind: TokenKind;
}

/**
 * Something that this browser alone brings back, once: a one-time token, whose row holds a MAC over it and what stands
 * beside it. A copy in another browser is worth nothing after the first use, and one that was changed nothing at all.
 */
export class OneTimeCookie<T extends object> {
  constructor(
    private readonly tokens: OneTimeTokens,
    private readonly form: CookieForm,
  ) {}

  /** @returns the token. */
  async write(content: T): Promise<string> {
    const { name, sameSite, kind } = this.form;
    const text = Buffer.from(JSON.stringify(content)).toString('base64url');
    const token = await this.tokens.give(kind, text);
    const maxAge = kind.ttlMs / 1000;
    this.answerWith(
      stringifySetCookie({
        name,
        value: `${token}.${text}`,
        path: '/',
        secure: true,
        httpOnly: true,
        sameSite,
        maxAge,
      }),
    );
    return token;
  }

  /** Takes it, whatever comes of it: one cookie is one attempt. Undefined for what was not written here. */
  async take(): Promise<{ readonly token: string; readonly content: T } | undefined> {
    const { name, sameSite, kind } = this.form;
    const values = valuesOf(name);
    if (values.length === 0) return undefined;
    this.answerWith(
      stringifySetCookie({ name, value: '', path: '/', secure: true, httpOnly: true, sameSite, maxAge: 0 }),
    );
    const [, token = '', text = ''] = /^([0-9a-f]+)\.([\w-]{1,3000})$/.exec(values[0] ?? '') ?? [];
    // Of two, each hop could believe another one.
    if (values.length > 1 || !(await this.tokens.take(kind, token, text))) return undefined;
    return { token, content: JSON.parse(Buffer.from(text, 'base64url').toString()) as T };
  }

  private answerWith(cookie: string): void {
    const setCookie = requestContext()?.setCookie;
    if (setCookie === undefined) throw new Error('a cookie can only be set while a request is answered');
    setCookie(cookie);
  }
}

function valuesOf(name: string): string[] {
  const { cookie = '' } = requestContext()?.headers ?? {};
  return cookie.split(';').flatMap((pair) => parseCookie(pair, { decode: (text) => text })[name] ?? []);
}
