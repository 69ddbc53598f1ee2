// One set of headers for every response of every layer: handlers, refusals, the HTTP parser's own errors, plain
// listeners.
// The practice of headers fills it; the layers that answer without Fastify read it here, so that none of them forgets.

/** On a module, by `@SetMetadata`: what it adds. The inventory reads it, which starts nothing. */
export const RESPONSE_HEADERS = 'response-headers';

let everywhere: Readonly<Record<string, string>> = {};

/**
 * Adds headers (lower-case names) to every response from now on. Call it at boot.
 * @public: every user of it can be removed.
 */
export function sendOnEveryResponse(headers: Readonly<Record<string, string>>): void {
  everywhere = Object.freeze({ ...everywhere, ...headers });
}

/** The headers of every HTTPS response. */
export const responseHeaders = (): Readonly<Record<string, string>> => everywhere;

/** The same for plain HTTP, where HSTS must not be sent (RFC 6797 section 7.2). */
export function plainResponseHeaders(): Readonly<Record<string, string>> {
  const { 'strict-transport-security': _, ...rest } = everywhere;
  return rest;
}
