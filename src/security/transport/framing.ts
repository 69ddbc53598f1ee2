import type { IncomingMessage } from 'node:http';
import { Problem } from '../../common/problem.js';

/**
 * Node's parser takes `xchunked`, `gzip, chunked` and `identity` as if they were `chunked`, or passes them on; the hop before may have read
 * another end of the message. One spelling is taken, and the connection closes (ASVS v5.0.0-4.2.1; RFC 9112 section 6.1).
 */
export function obscureCoding({ headers }: IncomingMessage): Problem | undefined {
  const coding = headers['transfer-encoding'];
  if (coding === undefined || coding.toLowerCase() === 'chunked') return undefined;
  return new Problem('malformed-request', 'The only transfer coding is chunked.', { headers: { connection: 'close' } });
}
