import type { IncomingMessage } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { isLoopback, normaliseHost } from '../../common/http/network.js';
import { Problem } from '../../common/http/problem.js';
import { requestContext } from '../../common/http/request-context.js';
import type { RequestCounter } from '../../common/http/request-counter.js';
import type { Config } from '../../config/index.js';

/** Far below the 2,000 from which on Node drops fields in silence. */
const maxHeaders = 100;
/** Letters, digits, `-`, `.`, `_` and `~`, encoded: another spelling of the same path (RFC 3986 section 2.3). */
const encodedUnreserved = /%(?:4[1-9a-f]|5[0-9af]|6[1-9a-f]|7[0-9ae]|3\d|2[de])/i;
const bodyless = new Set(['GET', 'HEAD', 'TRACE']);
/** Fields that mean one thing only. Node keeps the first of two in silence; a proxy may have checked the last. */
const single = new Set([
  'host',
  'authorization',
  'content-type',
  'content-encoding',
  'origin',
  'if-match',
  'idempotency-key',
]);

/** The onRequest hook that has the request counted, and puts what the limit says of it into the answer. */
export function createCountHook(counter: RequestCounter) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const tell = (name: string, item: string): void => void reply.header(name, item);
    const address = requestContext()?.address ?? request.socket.remoteAddress ?? 'unknown';
    await counter.count({ address, listener: 'public', tell });
  };
}

/**
 * The onRequest hook for what the HTTP parser lets pass, but two hops may read in two ways. All refusals come before
 * authentication and cost microseconds.
 */
export function createRequestRules(config: Pick<Config, 'publicUrl' | 'production'>) {
  const ownHost = new URL(config.publicUrl).host;
  return (request: FastifyRequest, _reply: unknown, done: (error?: Error) => void): void => {
    done(
      obscureCoding(request.raw) ??
        checkTarget(request) ??
        checkHeaders(request) ??
        checkHost(request, ownHost, config.production) ??
        checkBody(request),
    );
  };
}

/**
 * Node's parser takes `xchunked`, `gzip, chunked` and `identity` as if they were `chunked`, or passes them on; the hop
 * before may have read another end of the message. One spelling is taken, and the connection closes (ASVS v5.0.0-4.2.1;
 * RFC 9112 section 6.1).
 */
export function obscureCoding({ headers }: IncomingMessage): Problem | undefined {
  const coding = headers['transfer-encoding'];
  if (coding === undefined || coding.toLowerCase() === 'chunked') return undefined;
  return new Problem('malformed-request', 'The only transfer coding is chunked.', { headers: { connection: 'close' } });
}

const malformed = (detail: string): Problem => new Problem('malformed-request', detail);

function checkTarget(request: FastifyRequest): Problem | undefined {
  const { url = '' } = request.raw;
  // The absolute form brings a second host, and the two may differ (abuse case A8-5).
  if (!url.startsWith('/')) return malformed('The request target must be a path.');
  const query = url.indexOf('?');
  // What a gateway's rule for /v1/users does not match must not reach its handler (abuse case A5-2).
  if (encodedUnreserved.test(query === -1 ? url : url.slice(0, query)))
    return malformed('The path encodes characters that need no encoding.');
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
  if (rawHeaders.length > 2 * maxHeaders) return new Problem('header-fields-too-large');
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
  const field = request.raw.headers.host;
  if (field === undefined) return malformed('The request names no host.');
  const host = normaliseHost(field);
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
