import { randomUUIDv7 } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Logger } from '@nestjs/common';
import { accessLine } from '../../common/access-line.js';
import { Problem } from '../../common/problem.js';
import { problemDocument } from '../../common/problem-document.js';
import { runInRequestContext } from '../../common/request-context.js';
import { plainResponseHeaders } from '../../common/response-headers.js';
import { boundConnections } from './connections.js';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Decides one request; a thrown `Problem` is the answer, anything else a 500. */
export type Answerer = (request: IncomingMessage) => Answer | Promise<Answer>;

const logger = new Logger('Transport');

/** A small HTTP server without TLS, for the redirect and the internal listener: same headers, errors and log lines. */
export function createPlainServer(answer: Answerer): Server {
  // Nothing here takes a body, so the bounds are tight.
  const bounds = { maxHeaderSize: 8 * 1024, headersTimeout: 5_000, requestTimeout: 10_000, keepAliveTimeout: 5_000 };
  const server = createServer({ ...bounds, requireHostHeader: false }, (request, response) => {
    const context = { requestId: randomUUIDv7(), address: request.socket.remoteAddress ?? 'unknown' };
    const startedAt = performance.now();
    response.once('close', () => {
      const { method = '', url: target = '' } = request;
      const status = response.headersSent ? response.statusCode : undefined;
      logger.log(accessLine({ ...context, method, target, status, milliseconds: performance.now() - startedAt }));
    });
    void runInRequestContext(context, () => serve(request, response, answer, context.requestId));
  });
  server.setTimeout(10_000);
  boundConnections(server);
  return server.on('clientError', refuseUnparsed);
}

async function serve(request: IncomingMessage, response: ServerResponse, answer: Answerer, id: string): Promise<void> {
  let result: Answer;
  try {
    result = await answer(request);
  } catch (thrown) {
    const problem = thrown instanceof Problem ? thrown : new Problem('internal-error');
    if (problem.getStatus() >= 500) logger.error({ message: 'a request of a plain listener failed', error: thrown });
    result = problemDocument(problem, id, {});
  }
  const length = { 'content-length': Buffer.byteLength(result.body), 'x-request-id': id };
  response.writeHead(result.status, { ...plainResponseHeaders(), ...result.headers, ...length });
  response.end(request.method === 'HEAD' ? undefined : result.body);
}

function refuseUnparsed(_error: Error, socket: Socket): void {
  if (!socket.writable) return void socket.destroy();
  const head = Object.entries(plainResponseHeaders()).map(([name, value]) => `${name}: ${value}\r\n`);
  const end = 'content-length: 0\r\nconnection: close\r\n\r\n';
  socket.end(`HTTP/1.1 400 Bad Request\r\n${head.join('')}${end}`, () => socket.destroy());
}

/** Listens, or rejects with the reason (a port that is taken, an address that is not ours). */
export function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host, exclusive: true }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Stops listening and cuts what is still open: nobody waits for these answers. */
export function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
