import { randomUUIDv7 } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Logger } from '@nestjs/common';
import { accessLine } from '../../common/access/access-line.js';
import type { ClientAddress } from '../../common/http/client-address.js';
import { Problem } from '../../common/http/problem.js';
import { problemDocument } from '../../common/http/problem-document.js';
import { runInRequestContext, type RequestContext } from '../../common/http/request-context.js';
import type { Answered } from '../../common/http/request-counter.js';
import { plainResponseHeaders } from '../../common/http/response-headers.js';
import { bytesOf } from '../../common/http/body-bytes.js';
import { traceOf } from '../../common/http/trace-context.js';
import { answerUnparsed, type UnparsedRules } from '../../common/http/unparsed.js';
import { boundConnections } from './connections.js';
import { obscureCoding } from './request-rules.js';
import { closesEarly } from './linger.js';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** In pieces where it goes on for as long as somebody reads it. */
  readonly body: string | AsyncIterable<string>;
}

export interface PlainListener {
  readonly addressOf: ClientAddress;
  readonly trustedProxies?: readonly string[];
  /** Asked first, once for each request. @throws Problem too-many-requests */
  count(address: string): Promise<void>;
  /** Told of each answer. */
  answered(answered: Omit<Answered, 'listener'>): void;
  /** Decides one request; a thrown `Problem` is the answer, anything else a 500. */
  answer(request: IncomingMessage): Answer | Promise<Answer>;
  /** What is to be said and done about what the parser has refused. */
  denied?(problem: Problem, socket: Socket): Promise<Problem>;
}

// Nothing here takes a body, so the times are short. The header block may be as long as over HTTPS.
export const plainBounds = {
  maxHeaderSize: 16 * 1024,
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 2_000,
};
const idleMs = 10_000;

const logger = new Logger('Transport');

/**
 * A small HTTP server without TLS, for the redirect and the internal listener: same headers, errors, limits and log
 * lines.
 */
export function createPlainServer(listener: PlainListener, bounds: Partial<typeof plainBounds> = {}): Server {
  const server = createServer({ ...plainBounds, ...bounds, requireHostHeader: false }, (request, response) => {
    const trace = traceOf(request.headers['traceparent']);
    const context = { requestId: randomUUIDv7(), trace, address: listener.addressOf(request) };
    const startedAt = performance.now();
    response.once('close', () => {
      const { method = '', url: target = '' } = request;
      const status = response.headersSent ? response.statusCode : undefined;
      const milliseconds = performance.now() - startedAt;
      listener.answered({ method, status, milliseconds, context });
      const bytes = bytesOf(request, response, response.getHeader('content-length'));
      logger.log(accessLine({ ...context, method, target, status, milliseconds, bytes }));
    });
    void runInRequestContext(context, () => serve({ request, response }, listener, context));
  });
  server.setTimeout(idleMs);
  boundConnections(server, listener.trustedProxies);
  const { denied, count } = listener;
  const answered: UnparsedRules['answered'] = (status, context) =>
    listener.answered({ method: 'unparsed', status, milliseconds: 0, context });
  const rules = { logger, count, answered, denied, headers: plainResponseHeaders };
  return server.on('clientError', (error, socket: Socket) => void answerUnparsed(error, socket, rules));
}

type Exchange = { readonly request: IncomingMessage; readonly response: ServerResponse };

async function serve(
  { request, response }: Exchange,
  listener: PlainListener,
  { address, requestId }: RequestContext,
): Promise<void> {
  let result: Answer;
  try {
    await listener.count(address);
    const fault = obscureCoding(request);
    result = await (fault === undefined ? listener.answer(request) : throwDenied(fault, request.socket, listener));
  } catch (thrown) {
    const problem = thrown instanceof Problem ? thrown : new Problem('internal-error');
    if (problem.getStatus() >= 500) logger.error({ message: 'a request of a plain listener failed', error: thrown });
    result = problemDocument(problem, requestId, {});
  }
  if (response.destroyed || response.headersSent) return;
  const { body } = result;
  // Kept by the response, for the log; what only writeHead() gets is not.
  if (typeof body === 'string') response.setHeader('content-length', Buffer.byteLength(body));
  const end = closesEarly(request, 0) ? { connection: 'close' } : {};
  response.writeHead(result.status, {
    ...plainResponseHeaders(),
    ...result.headers,
    'x-request-id': requestId,
    ...end,
  });
  await send(response, request.method === 'HEAD' ? '' : body);
}

async function send(response: ServerResponse, body: Answer['body']): Promise<void> {
  if (typeof body === 'string') response.end(body);
  // Whoever reads it goes away at some time: that is its end.
  else await pipeline(Readable.from(body), response).catch(() => undefined);
}

const throwDenied = async (problem: Problem, socket: Socket, listener: PlainListener): Promise<never> => {
  throw (await listener.denied?.(problem, socket)) ?? problem;
};

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
