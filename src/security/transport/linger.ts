import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

/** How long a connection whose body nobody wants stays half open, and what may still come, so that its sender gets to read the answer. */
export const lingerBounds = { bytes: 16 * 1024 * 1024, ms: 2_000 };

const awaitsBody = ({ complete, headers }: IncomingMessage): boolean =>
  !complete && (headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0');

/**
 * True when the answer comes before a body that is too long to be waited for. The answer then has to say `Connection: close`, and the connection
 * ends in order: one that is closed with bytes unread is reset, and the client sees a broken pipe instead of the 413 (RFC 9112 section 9.6).
 */
export function closesEarly(request: IncomingMessage, maxBodyBytes: number): boolean {
  if (!awaitsBody(request) || Number(request.headers['content-length'] ?? Infinity) <= maxBodyBytes) return false;
  const { socket } = request;
  // Node calls it when the last answer of a connection is out.
  socket.destroySoon = () => linger(socket);
  return true;
}

function linger(socket: Socket): void {
  let left = lingerBounds.bytes;
  const timer = setTimeout(() => socket.destroy(), lingerBounds.ms).unref();
  socket.once('close', () => clearTimeout(timer)).once('end', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) socket.destroy();
  });
  socket.end();
  socket.resume();
}
