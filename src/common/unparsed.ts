import { STATUS_CODES, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Problem, type ProblemType } from './problem.js';
import { problemDocument } from './problem-document.js';

/** What a fault of Node's HTTP parser is for the client; undefined for a connection on which there is nobody to answer. */
export function problemOfParser(code: string | undefined): Problem | undefined {
  const type = typeOf(code ?? '');
  return type === undefined ? undefined : new Problem(type);
}

function typeOf(code: string): ProblemType | undefined {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 'request-timeout';
  if (code === 'HPE_HEADER_OVERFLOW') return 'header-fields-too-large';
  if (code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW') return 'content-too-large';
  return code.startsWith('HPE_') && code !== 'HPE_INVALID_EOF_STATE' ? 'malformed-request' : undefined;
}

/** Writes a whole answer where there is no request to answer, and ends the connection: nobody can tell where the next request begins. */
export function writeProblem(socket: Socket, problem: Problem, requestId: string, listener: Readonly<Record<string, string>>): void {
  if (!socket.writable) return void socket.destroy();
  const { status, headers, body } = problemDocument(problem, requestId, listener);
  const fields = { ...headers, 'content-length': String(Buffer.byteLength(body)), 'connection': 'close' };
  const head = Object.entries({ date: new Date().toUTCString(), ...fields }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${head.join('')}\r\n${body}`, () => socket.destroy());
}

/** The response that Node is about to write on the connection, while there is one. */
export const responseOn = (socket: Socket): ServerResponse | undefined =>
  (Reflect.get(socket, '_httpMessage') as ServerResponse | undefined | null) ?? undefined;
