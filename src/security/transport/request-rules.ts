import type { FastifyRequest } from 'fastify';
import { isLoopback } from '../../common/network.js';
import { Problem } from '../../common/problem.js';
import type { Config } from '../../config/index.js';

/** Far below the 2,000 from which on Node drops fields in silence. */
const mostHeaders = 100;
const bodyless = new Set(['GET', 'HEAD', 'TRACE']);
/** Fields that mean one thing only. Node keeps the first of two in silence; a proxy may have checked the last. */
const single = new Set(['host', 'authorization', 'content-type', 'content-encoding', 'origin', 'if-match', 'idempotency-key']);

/**
 * The onRequest hook for what the HTTP parser lets pass, but two hops may read in two ways. All refusals come before
 * authentication and cost microseconds.
 */
export function createRequestRules(config: Pick<Config, 'publicUrl' | 'production'>) {
  const ownHost = new URL(config.publicUrl).host;
  return (request: FastifyRequest, _reply: unknown, done: (error?: Error) => void): void => {
    done(checkTarget(request) ?? checkHeaders(request) ?? checkHost(request, ownHost, config.production) ?? checkBody(request));
  };
}

const malformed = (detail: string): Problem => new Problem('malformed-request', detail);

function checkTarget(request: FastifyRequest): Problem | undefined {
  const { url = '' } = request.raw;
  // The absolute form brings a second host, and the two may differ (abuse case A8-5).
  if (!url.startsWith('/')) return malformed('The request target must be a path.');
  const query = url.indexOf('?');
  if (url.includes('%00')) return malformed('The request target holds a NUL.');
  return query === -1 ? undefined : checkQuery(url.slice(query + 1), request.query as Record<string, unknown>);
}

/** `a=1&a=2` and `a[b]=1` mean other things to other parsers: first, last, list or object (ASVS v5.0.0-15.3.7). */
function checkQuery(text: string, query: Record<string, unknown>): Problem | undefined {
  try {
    decodeURIComponent(text);
  } catch {
    return malformed('The query is not valid UTF-8.');
  }
  for (const name in query) {
    if (Array.isArray(query[name])) return malformed('A query parameter is repeated.');
    if (name.includes('[')) return malformed('Query parameters take no brackets.');
  }
  return undefined;
}

function checkHeaders(request: FastifyRequest): Problem | undefined {
  const { rawHeaders, headers } = request.raw;
  if (rawHeaders.length > 2 * mostHeaders) return new Problem('header-fields-too-large');
  // As many names as fields: nothing is repeated, which is the rule. Otherwise look which one is.
  if (Object.keys(headers).length * 2 === rawHeaders.length) return undefined;
  const seen = new Set<string>();
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]?.toLowerCase() ?? '';
    if (single.has(name) && seen.has(name)) return malformed(`The header field ${name} is repeated.`);
    seen.add(name);
  }
  return undefined;
}

/** Unknown names are refused, so that no link, cache entry or redirect is ever made from a name that a client chose. */
function checkHost(request: FastifyRequest, ownHost: string, production: boolean): Problem | undefined {
  const host = request.raw.headers.host?.toLowerCase();
  if (host === undefined) return malformed('The request names no host.');
  if (host === ownHost || (!production && isLoopback(host.replace(/:\d+$/, '')))) return undefined;
  return new Problem('misdirected-request');
}

function checkBody(request: FastifyRequest): Problem | undefined {
  const { headers, method = '' } = request.raw;
  const coding = headers['content-encoding'];
  // Never inflated: a small body could become a huge one (abuse case A4-1).
  if (coding !== undefined && coding !== 'identity') return new Problem('unsupported-media-type');
  const length = headers['content-length'];
  const hasBody = headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
  // Servers that ignore such a body leave it on the wire, as the beginning of somebody's next request.
  return hasBody && bodyless.has(method) ? malformed(`A ${method} request has no body.`) : undefined;
}
