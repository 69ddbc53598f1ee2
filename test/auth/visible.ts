import type { Answer } from '../support/http.js';

/**
 * What an attacker can compare: everything but the values that differ from request to request, and the passing seconds.
 */
export function visible({ status, headers, body }: Answer) {
  const { 'date': _, 'x-request-id': __, ratelimit, ...stable } = headers;
  return {
    status,
    headers: { ...stable, ratelimit: ratelimit?.replace(/;t=\d+/g, '') },
    body: { ...body, requestId: '' },
  };
}
