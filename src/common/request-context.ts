import { AsyncLocalStorage } from 'node:async_hooks';
import type { IncomingHttpHeaders } from 'node:http';
import type { Principal } from './principal.js';

/** What is true for the whole of one request. Filled on the way in, read by log lines and audit events. */
export interface RequestContext {
  /** UUIDv7, made here: an id sent by the client could forge or merge log entries. The client gets it as `X-Request-Id`. */
  readonly requestId: string;
  /** The true client address: from the socket, or from a proxy that is trusted by configuration. */
  readonly address: string;
  /** As the client says it: for people who look at their sessions, never for a decision. */
  readonly userAgent?: string;
  /** Of HTTPS requests, as they came. */
  readonly headers?: IncomingHttpHeaders;
  /** Adds a `Set-Cookie` to the answer, whatever that will be. */
  readonly setCookie?: (cookie: string) => void;
  principal?: Principal;
}

const storage = new AsyncLocalStorage<RequestContext>();

/** The context of the running request; undefined in commands and background work. */
export const requestContext = (): RequestContext | undefined => storage.getStore();

export const runInRequestContext = <T>(context: RequestContext, work: () => T): T => storage.run(context, work);
