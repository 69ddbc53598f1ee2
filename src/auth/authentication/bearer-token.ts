import type { FastifyRequest } from 'fastify';
import { CredentialRefused } from '../../common/access/credential-refused.js';

// RFC 6750 s2: the three places where an access token may travel. We accept the first.
const parameter = 'access_token';
const cookie = /(?:^|;\s*)access_token=/;
const bearer = /^bearer ([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{85}[AQgw])$/i;

/**
 * The access token of the request, from `Authorization: Bearer` and nothing else; undefined when none was sent. Only
 * the compact form of an ES256 JWS passes; the last character of a 64-byte signature is one of four, so that one token
 * has one spelling.
 * @throws CredentialRefused for a second credential, one in URL, cookie or body, and for any other form.
 */
export function bearerToken(request: FastifyRequest): string | undefined {
  assertNoStrayCredentials(request);
  const header = request.headers.authorization;
  if (header === undefined) return undefined;
  const [, token] = bearer.exec(header) ?? [];
  if (token === undefined) throw new CredentialRefused(/^bearer /i.test(header) ? 'malformed' : 'scheme');
  return token;
}

/**
 * Two credentials let an attacker choose which one each hop believes; one in a URL ends up in logs (ASVS
 * v5.0.0-14.2.1).
 */
export function assertNoStrayCredentials(request: FastifyRequest): void {
  const { query, body } = request as { query: unknown; body: unknown };
  const stray = has(query) || has(body) || cookie.test(request.headers.cookie ?? '');
  if (stray || countAuthorization(request.raw.rawHeaders) > 1) throw new CredentialRefused('several');
}

const has = (input: unknown): boolean => typeof input === 'object' && input !== null && parameter in input;

/** Node keeps the first of several Authorization headers in silence, a proxy in front may keep the last. */
function countAuthorization(rawHeaders: readonly string[]): number {
  let count = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.length === 13 && rawHeaders[index]?.toLowerCase() === 'authorization') count += 1;
  }
  return count;
}
