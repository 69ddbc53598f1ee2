import { randomUUIDv7 } from 'node:crypto';
import type { Socket } from 'node:net';
import type { ServerOptions } from 'node:https';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { ConfigurationError } from '../../config/index.js';
import { tlsOptions, type TlsFiles } from './tls.js';

/** The answers for what never becomes a request; security/errors has them. */
export interface ListenerHandlers {
  readonly frameworkErrors: (error: FastifyError, request: FastifyRequest, reply: FastifyReply) => void;
  readonly clientErrorHandler: (error: Error & { code?: string }, socket: Socket) => void;
}

/** Bounds of the parser, in bytes and milliseconds. Tests shorten the times; nothing else does. */
export const limits = {
  bodyBytes: 64 * 1024,
  headerBytes: 16 * 1024,
  /** From the first byte to the last one of a request: slow clients do not hold connections (abuse case A4-1). */
  requestTimeout: 30_000,
  headersTimeout: 10_000,
  /**
   * Longer than the usual 60 s of a gateway, so that the gateway closes first and no request meets a closing socket.
   */
  keepAliveTimeout: 72_000,
  /** Without a byte in either direction. */
  connectionTimeout: 60_000,
  handshakeTimeout: 10_000,
  checkInterval: 2_000,
};

/**
 * The options of Fastify's server: HTTP/1.1 over TLS with bounds on everything that a client controls
 * (ASVS v5.0.0-4.2.1, 15.2.2; practices 1.1 and 1.2).
 */
export function listenerOptions(tls: TlsFiles, handlers: ListenerHandlers, bounds = limits) {
  return {
    https: httpsOptions(tls, bounds),
    logger: false as const,
    bodyLimit: bounds.bodyBytes,
    requestTimeout: bounds.requestTimeout,
    keepAliveTimeout: bounds.keepAliveTimeout,
    connectionTimeout: bounds.connectionTimeout,
    // Fastify would believe a trusted proxy in more than the address: common/http/client-address.ts is what reads it
    // (ASVS v5.0.0-4.1.3).
    trustProxy: false as const,
    // An id that the client chooses could forge or merge log entries.
    requestIdHeader: false as const,
    genReqId: () => randomUUIDv7(),
    exposeHeadRoutes: true,
    // Requests that arrive while the service stops are still answered, with `Connection: close`: none is lost.
    return503OnClosing: false,
    onProtoPoisoning: 'error' as const,
    onConstructorPoisoning: 'error' as const,
    // One path has one spelling: a variant that a gateway's rule does not match must not reach a handler (A5-2).
    routerOptions: {
      caseSensitive: true,
      ignoreTrailingSlash: false,
      ignoreDuplicateSlashes: false,
      useSemicolonDelimiter: false,
      maxParamLength: 100,
    },
    ...handlers,
  };
}

function httpsOptions(tls: TlsFiles, bounds: typeof limits): ServerOptions {
  return {
    ...tlsOptions(tls),
    requestCert: tls.clientAuthorities.length > 0,
    // People without a certificate connect too. Whoever asks for certificates decides about those that are shown, and
    // answers: a connection that is cut tells nobody why, and leaves no audit event. Where only a gateway may speak,
    // nobody else is to be told anything.
    rejectUnauthorized: tls.demandsCertificate,
    handshakeTimeout: bounds.handshakeTimeout,
    maxHeaderSize: bounds.headerBytes,
    headersTimeout: bounds.headersTimeout,
    requestTimeout: bounds.requestTimeout,
    connectionsCheckingInterval: bounds.checkInterval,
    // Never the lenient parser. A missing Host is refused by request-rules.ts, whose answer carries all headers.
    insecureHTTPParser: false,
    requireHostHeader: false,
  };
}

interface Variables {
  readonly host: 'HOST' | 'INTERNAL_HOST';
  readonly port: 'HTTPS_PORT' | 'HTTP_PORT' | 'INTERNAL_PORT';
}

/** Why a listener does not start, with the variable and the fix; every other error as it is. */
export function listenFault(error: unknown, { host, port }: Variables): unknown {
  const { code, port: taken } = error as NodeJS.ErrnoException & { port?: number };
  const own = host === 'HOST' ? '0.0.0.0' : '127.0.0.1';
  switch (code) {
    case 'EADDRINUSE':
      return new ConfigurationError([`port ${taken} is taken: stop the process that has it, or set ${port}`]);
    case 'EACCES':
      return new ConfigurationError([
        `${port}: this user may not listen on port ${taken}: set one from 1024 on, or give it the right to`,
      ]);
    case 'EADDRNOTAVAIL':
    case 'EAFNOSUPPORT':
    case 'EAI_AGAIN':
    case 'EINVAL':
    case 'ENOTFOUND':
      return new ConfigurationError([
        `${host}: this machine has no such address (${code}): set one that it has, such as ${own}`,
      ]);
    default:
      return error;
  }
}
