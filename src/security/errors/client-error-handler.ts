import { randomUUIDv7 } from 'node:crypto';
import { STATUS_CODES, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Logger } from '@nestjs/common';
import { accessLine } from '../../common/access-line.js';
import { Problem, type ProblemType } from '../../common/problem.js';
import { problemDocument } from '../../common/problem-document.js';
import { responseHeaders } from '../../common/response-headers.js';

const logger = new Logger('Errors');

/**
 * For Fastify's `clientErrorHandler`: what Node's HTTP parser refuses before there is a request, for example smuggling
 * (two lengths, a length and a transfer coding) or headers that never end. The connection always closes: after a framing
 * fault nobody can tell where the next request begins (ASVS v5.0.0-4.2.1; RFC 9112 section 11.2).
 */
export function clientErrorHandler(error: Error & { code?: string }, socket: Socket): void {
  const type = typeOf(error.code ?? '');
  // A reset, a broken TLS handshake, or a response that is half out: there is nobody to answer.
  if (type === undefined || !socket.writable || responseBegan(socket)) return void socket.destroy();
  const requestId = randomUUIDv7();
  const { status, headers, body } = problemDocument(new Problem(type), requestId, responseHeaders());
  const fields = { ...headers, 'content-length': String(Buffer.byteLength(body)), 'connection': 'close' };
  const head = Object.entries({ date: new Date().toUTCString(), ...fields }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${head.join('')}\r\n${body}`, () => socket.destroy());
  const address = socket.remoteAddress ?? 'unknown';
  const line = accessLine({ requestId, address, method: 'unparsed', target: '-', status, milliseconds: 0 });
  logger.warn({ ...line, 'error.code': error.code });
}

function typeOf(code: string): ProblemType | undefined {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 'request-timeout';
  if (code === 'HPE_HEADER_OVERFLOW') return 'header-fields-too-large';
  if (code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW') return 'content-too-large';
  return code.startsWith('HPE_') && code !== 'HPE_INVALID_EOF_STATE' ? 'malformed-request' : undefined;
}

/** Node keeps the response that is being written on the socket; its own default handler asks the same question. */
const responseBegan = (socket: Socket): boolean =>
  (Reflect.get(socket, '_httpMessage') as ServerResponse | undefined | null)?.headersSent ?? false;
