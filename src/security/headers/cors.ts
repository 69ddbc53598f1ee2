import type { FastifyReply, FastifyRequest } from 'fastify';
import { pathOf } from '../../common/access/access-line.js';
import { normaliseHost } from '../../common/http/network.js';
import { Problem } from '../../common/http/problem.js';
import type { RouteTable } from '../../common/http/route-table.js';

const exposed = 'etag, location, ratelimit, ratelimit-policy, retry-after, x-request-id';
const tenMinutes = String(10 * 60);
const safe = new Set(['GET', 'HEAD', 'OPTIONS']);

type Done = (error?: Error) => void;

/**
 * The hooks for browsers. Origins are compared whole with the list of the configuration: no pattern, no prefix, no
 * reflection, never `*` or `null` (ASVS v5.0.0-3.4.2). Credentials mode is on for routes with `@CarriesCookie()` only.
 */
export function createCorsHooks(origins: readonly string[], routes: RouteTable) {
  const allowed = new Set(origins);
  return {
    /** For every answer, whoever refuses: a page of a listed origin has to be able to read a 429 as well. */
    setHeaders(request: FastifyRequest, reply: FastifyReply, _payload: unknown, done: Done): void {
      const { origin } = request.headers;
      // An answer for one origin must not be replayed to another one by a cache.
      if (allowed.size > 0) reply.header('vary', varyWithOrigin(reply.getHeader('vary')));
      if (origin !== undefined && allowed.has(origin)) {
        reply.header('access-control-allow-origin', origin).header('access-control-expose-headers', exposed);
        if (takesCookies(request, routes)) reply.header('access-control-allow-credentials', 'true');
      }
      done();
    },

    /** In front of the handler, when the request is counted and its host is known. */
    decide(request: FastifyRequest, reply: FastifyReply, done: Done): void {
      const { origin } = request.headers;
      const known = origin === undefined || isOwn(origin, request) || allowed.has(origin);
      if (request.method === 'OPTIONS') return answerOptions(request, reply, known, routes, done);
      // No preflight protects "simple" requests: a write from a foreign page ends here (ASVS v5.0.0-3.5.1, 3.5.2).
      if (!known && !safe.has(request.method)) return done(refusal());
      done();
    },
  };
}

function varyWithOrigin(present: unknown): string {
  if (typeof present !== 'string') return 'Origin';
  return /\borigin\b/i.test(present) ? present : `${present}, Origin`;
}

const refusal = () => new Problem('forbidden', 'This origin may not call the service.');

/** A page of the service itself, such as /docs. The Host header was checked by transport. */
const isOwn = (origin: string, request: FastifyRequest): boolean =>
  origin === `https://${normaliseHost(request.headers.host ?? '')}`;

/** The route that is called, or the one that a preflight asks for. */
function takesCookies(request: FastifyRequest, routes: RouteTable): boolean {
  const method = request.method === 'OPTIONS' ? request.headers['access-control-request-method'] : request.method;
  return method !== undefined && routes.carriesCookie(pathOf(request.raw.url ?? ''), method);
}

function answerOptions(
  request: FastifyRequest,
  reply: FastifyReply,
  known: boolean,
  routes: RouteTable,
  done: Done,
): void {
  const methods = routes.methodsOf(pathOf(request.raw.url ?? ''));
  if (!known) return done(refusal());
  if (methods.length === 0) return done(new Problem('not-found'));
  const asked = request.headers['access-control-request-method'];
  if (request.headers.origin !== undefined && asked !== undefined) {
    reply
      .header('access-control-allow-methods', methods.filter((method) => method !== 'OPTIONS').join(', '))
      .header('access-control-allow-headers', headersFor(asked))
      .header('access-control-max-age', tenMinutes)
      .header('vary', 'Origin, Access-Control-Request-Method');
  }
  void reply.code(204).header('allow', methods.join(', ')).send();
}

/** What a request of that method may need, and no more (practice 8.2). */
function headersFor(method: string): string {
  if (safe.has(method)) return 'authorization, if-none-match';
  return method === 'POST' ? 'authorization, content-type, idempotency-key' : 'authorization, content-type, if-match';
}
