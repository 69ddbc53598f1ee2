import type { IncomingHttpHeaders } from 'node:http';
import { parseCookie, stringifySetCookie } from 'cookie';
import { Problem } from '../../common/http/problem.js';
import { requestContext } from '../../common/http/request-context.js';
import { SecurityEvents } from '../../common/events/security-events.js';
import type { Config } from '../../config/index.js';
import type { RefreshTokenCookie } from '../sessions/session-tokens.js';
import { isFromOwnPage } from './own-pages.js';

/**
 * `__Host-`: browsers take it over HTTPS and from this very host only, for no other host and with the path `/` (ASVS
 * v5.0.0-3.3.1, 3.3.3).
 */
const name = '__Host-refresh';
/**
 * Without Max-Age: it ends with the browser. No request of another site carries it (ASVS v5.0.0-3.3.2), no script reads
 * it (3.3.4).
 */
const attributes = { name, path: '/', secure: true, httpOnly: true, sameSite: 'strict' } as const;
const jsonType = /^application\/json(?:\s*;|$)/i;

/** The refresh token of a session in a browser. */
export class RefreshCookie implements RefreshTokenCookie {
  constructor(
    private readonly events: SecurityEvents,
    private readonly config: Config,
  ) {}

  write(token: string): void {
    this.answerWith(stringifySetCookie({ ...attributes, value: token }));
  }

  clear(): void {
    this.answerWith(stringifySetCookie({ ...attributes, value: '', maxAge: 0 }));
  }

  /**
   * The token of the cookie of the running request; undefined without one.
   * @throws Problem for a request that has the cookie, but that no page of ours can have made.
   */
  read(): string | undefined {
    const headers = requestContext()?.headers ?? {};
    const values = valuesOf(headers);
    if (values.length === 0) return undefined;
    if (values.length > 1) throw new Problem('malformed-request', 'The refresh cookie was sent twice.');
    // Forms and `text/plain` need no preflight (ASVS v5.0.0-3.5.2).
    if (!jsonType.test(headers['content-type'] ?? '')) throw new Problem('unsupported-media-type');
    if (!this.isFromOwnPage(headers)) throw this.denied(headers);
    return values[0];
  }

  /** The token that a new one is going to replace, wherever the request came from: not for a decision. */
  replaced(): string | undefined {
    return valuesOf(requestContext()?.headers ?? {})[0];
  }

  private isFromOwnPage(headers: IncomingHttpHeaders): boolean {
    // The host was checked by transport: in production it is the one of PUBLIC_URL.
    const own = [this.config.publicUrl, `https://${headers.host}`];
    return isFromOwnPage(headers, { own, listed: this.config.corsOrigins });
  }

  /** The cookie stays: else the page of a stranger could sign people out. */
  private denied({ 'sec-fetch-site': site = 'absent', origin }: IncomingHttpHeaders): Problem {
    const known =
      ['same-origin', 'same-site', 'cross-site', 'none', 'absent'].find((word) => word === site) ?? 'unknown';
    this.events.reportLater({
      action: 'malicious_cors',
      outcome: 'denied',
      details: { site: known, origin: origin === undefined ? 'absent' : 'sent' },
    });
    return new Problem('forbidden', 'Only pages of this service may use its cookie.');
  }

  /** Without a request there is no answer, and a token that reaches nobody must not be given away in another way. */
  private answerWith(cookie: string): void {
    const setCookie = requestContext()?.setCookie;
    if (setCookie === undefined) throw new Error('a cookie can only be set while a request is answered');
    setCookie(cookie);
  }
}

/** Whether a request has the cookie: beside the credential of a machine it is a second one. */
export const hasRefreshCookie = (headers: IncomingHttpHeaders): boolean => valuesOf(headers).length > 0;

/** All values under exactly that name: a browser sends one, and of two each hop believes another one. */
function valuesOf({ cookie = '' }: IncomingHttpHeaders): string[] {
  return cookie.split(';').flatMap((pair) => parseCookie(pair, { decode: (text) => text })[name] ?? []);
}
