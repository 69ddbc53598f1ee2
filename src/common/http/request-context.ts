import { AsyncLocalStorage } from 'node:async_hooks';
import type { X509Certificate } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyInstance } from 'fastify';
import type { Principal } from '../access/principal.js';
import type { ClientAddress } from './client-address.js';
import { traceOf, type TraceContext } from './trace-context.js';

/** A certificate whose key the caller has, and that counts at this moment. */
export interface ProvedCertificate {
  readonly decoded: X509Certificate;
  /** SHA-256 of the DER, 64 hex digits. */
  readonly fingerprint: string;
  /** `uri:spiffe://example.org/lab`, `dns:lab.example.org` */
  readonly names: readonly string[];
}

/** What is true for the whole of one request. Filled on the way in, read by log lines and audit events. */
export interface RequestContext {
  /**
   * UUIDv7, made here: an id sent by the client could forge or merge log entries. The client gets it as `X-Request-Id`.
   */
  readonly requestId: string;
  readonly trace: TraceContext;
  /** The true client address: from the socket, or from a proxy that is trusted by configuration. */
  readonly address: string;
  /** As the client says it: for people who look at their sessions, never for a decision. */
  readonly userAgent?: string;
  /** Of HTTPS requests, as they came. */
  readonly headers?: IncomingHttpHeaders;
  /** Adds a `Set-Cookie` to the answer, whatever that will be. */
  readonly setCookie?: (cookie: string) => void;
  principal?: Principal;
  /** Of a caller whose certificate stands for no machine, and proves that another credential is theirs (RFC 8705). */
  certificate?: ProvedCertificate;
  /** Left out while the request has come to no handler: it may be refused before. */
  handler?: HandlerRecord;
}

/** What a handler did with the request, its pipes and the shaping of its answer included. */
export interface HandlerRecord {
  /** `ResourcesController.update` */
  readonly name: string;
  readonly milliseconds: number;
}

const storage = new AsyncLocalStorage<RequestContext>();

/** The context of the running request; undefined in commands and background work. */
export const requestContext = (): RequestContext | undefined => storage.getStore();

export const runInRequestContext = <T>(context: RequestContext, work: () => T): T => storage.run(context, work);

/**
 * Opens the context of every request of the listener, and gives the client its id. A hook of Fastify, because parser,
 * router and guards already need the context; to be called before any module is made, so that it runs before the hooks
 * of every practice, and stays when one of them is removed.
 */
export function openRequestContexts(instance: FastifyInstance, addressOf: ClientAddress): void {
  instance.addHook('onRequest', (request, reply, done) => {
    const { headers } = request;
    reply.header('x-request-id', request.id);
    const context: RequestContext = {
      requestId: request.id,
      trace: traceOf(headers['traceparent']),
      address: addressOf(request.raw),
      userAgent: headers['user-agent'],
      headers,
      setCookie: (cookie) => void reply.header('set-cookie', cookie),
    };
    runInRequestContext(context, done);
  });
}
