import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

/**
 * What is still read of a body that nobody wants, so that its sender gets to read the answer: bytes and time of one
 * connection, the time without a byte, and how many connections at a time. Such connections count in `connectionBounds`
 * too.
 */
export const lingerBounds = { bytes: 16 * 1024 * 1024, ms: 5_000, idleMs: 1_000, connections: 64 };
let lingering = 0;

const awaitsBody = ({ complete, headers }: IncomingMessage): boolean =>
  !complete && (headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0');

/**
 * True when the answer comes before a body that is too long to be waited for. The answer then has to say `Connection:
 * close`, and the connection closes once the sender has stopped: one that is closed with bytes unread is reset, and a
 * client that writes before it reads sees a broken pipe instead of the 413 (RFC 9112 section 9.6).
 */
export function closesEarly(request: IncomingMessage, maxBodyBytes: number): boolean {
  if (!awaitsBody(request) || Number(request.headers['content-length'] ?? Infinity) <= maxBodyBytes) return false;
  const { socket } = request;
  // Node calls it when the last answer of a connection is out.
  socket.destroySoon = () => {
    Reflect.deleteProperty(socket, 'destroySoon');
    if (lingering < lingerBounds.connections) linger(socket);
    else socket.destroySoon();
  };
  return true;
}

/**
 * Reads and forgets. The writing side stays open meanwhile: a TLS connection of Node's reads nothing any more once that
 * has ended.
 */
function linger(socket: Socket): void {
  lingering += 1;
  const deadline = setTimeout(() => socket.destroy(), lingerBounds.ms).unref();
  const idle = setTimeout(() => socket.destroySoon(), lingerBounds.idleMs).unref();
  socket.once('close', () => {
    lingering -= 1;
    clearTimeout(deadline);
    clearTimeout(idle);
  });
  // Node starts to read again in the next tick, and only as long as the parser has the socket.
  socket.resume();
  process.nextTick(() => discard(socket, idle));
}

function discard(socket: Socket, idle: NodeJS.Timeout): void {
  let left = lingerBounds.bytes;
  // Nothing that comes now is a request any more: the parser must not see it (RFC 9112 section 9.6).
  socket.removeAllListeners('data').removeAllListeners('end');
  socket.once('end', () => socket.destroySoon());
  socket.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) socket.destroy();
    else idle.refresh();
  });
}
