import type { BodyBytes } from '../http/body-bytes.js';
import type { HandlerRecord } from '../http/request-context.js';
import type { TraceContext } from '../http/trace-context.js';
import type { Principal } from './principal.js';

/** One finished HTTP exchange, on any listener. */
export interface Exchange {
  readonly requestId: string;
  readonly trace: TraceContext;
  readonly address: string;
  readonly method: string;
  /** The request target as sent; only its path is logged. */
  readonly target: string;
  /** undefined: the client went away before there was an answer. */
  readonly status: number | undefined;
  readonly milliseconds: number;
  /** The pattern of the route, for example `/v1/resources/:id`. */
  readonly route?: string | undefined;
  readonly handler?: HandlerRecord | undefined;
  readonly principal?: Principal | undefined;
  readonly bytes?: BodyBytes | undefined;
  /** First eight hex digits of the SHA-256 of the credential: tells two credentials apart, gives none away. */
  readonly credential?: string | undefined;
}

/**
 * The fields of the one log line per exchange, in the words of the Elastic Common Schema. The query is left out on
 * purpose: that is where clients put secrets by mistake (ASVS v5.0.0-14.2.1, 16.2.5).
 */
export function accessLine(exchange: Exchange): Record<string, unknown> {
  const { method, status } = exchange;
  const succeeded = status !== undefined && status < 400;
  // A path that worked holds ids. One that was refused, or that leads to no route, may hold what a client put there by
  // mistake.
  const path = succeeded && exchange.route !== undefined ? pathOf(exchange.target) : knownPathOf(exchange.target);
  return {
    'message': `${method} ${exchange.route ?? path} ${status ?? 'aborted'}`,
    'event.action': 'http_request',
    'event.outcome': succeeded ? 'success' : 'failure',
    'event.duration': nanoseconds(exchange.milliseconds),
    'http.request.method': method,
    'http.request.id': exchange.requestId,
    ...sizesOf(exchange.bytes),
    'http.response.status_code': status,
    'http.route': exchange.route,
    'code.function.name': exchange.handler?.name,
    'http.handler.duration': exchange.handler && nanoseconds(exchange.handler.milliseconds),
    'url.path': path,
    'client.address': exchange.address,
    'trace.id': exchange.trace.traceId,
    'span.id': exchange.trace.spanId,
    ...idsOf(exchange.principal),
    'credential.fingerprint': exchange.credential,
  };
}

const sizesOf = (bytes: BodyBytes | undefined): Record<string, unknown> =>
  bytes === undefined ? {} : { 'http.request.body.bytes': bytes.request, 'http.response.body.bytes': bytes.response };

/** A machine acts for its user. */
function idsOf(principal: Principal | undefined): Record<string, unknown> {
  if (principal === undefined) return {};
  const { kind, userId } = principal;
  const own = kind === 'person' ? { 'session.id': principal.sessionId } : { 'machine.id': principal.machineId };
  return { 'principal.kind': kind, 'user.id': userId, ...own };
}

const nanoseconds = (milliseconds: number): number => Math.round(milliseconds * 1e6);

const words = new Set<string>();
const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Tells the log the words of a route, `/v1/resources/:id`: these are what it may repeat of any path. */
export function learnRoute(pattern: string): void {
  for (const segment of pattern.split('/')) if (!/[:*]/.test(segment)) words.add(segment);
}

/**
 * Words of routes and ids as they are, of everything else its length. A token, a code or an address has no form by
 * which a list of what to cut could know them all (ASVS v5.0.0-16.2.5).
 */
function knownPathOf(target: string): string {
  const segments = pathOf(target).split('/').slice(0, 20);
  return segments
    .map((segment) => (words.has(segment) || uuid.test(segment) ? segment : `[${segment.length}]`))
    .join('/');
}

/** The path of a request target, without query, at most 512 characters. */
export function pathOf(target: string): string {
  const end = target.indexOf('?');
  return target.slice(0, Math.min(end === -1 ? target.length : end, 512));
}
