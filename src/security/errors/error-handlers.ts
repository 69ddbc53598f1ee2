import { randomUUIDv7 } from 'node:crypto';
import type { Socket } from 'node:net';
import { Logger } from '@nestjs/common';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { accessLine } from '../../common/access-line.js';
import { createClientAddress } from '../../common/client-address.js';
import { Problem } from '../../common/problem.js';
import { problemDocument } from '../../common/problem-document.js';
import { runInRequestContext } from '../../common/request-context.js';
import type { RequestCounter } from '../../common/request-counter.js';
import { responseHeaders } from '../../common/response-headers.js';
import { problemOfParser, responseOn, writeProblem } from '../../common/unparsed.js';
import { problemOf } from './problem-of.js';

const logger = new Logger('Errors');

/** The answers for what meets no hook of Fastify: each is counted, gets all headers and its line in the log here. */
export function createErrorHandlers({ trustedProxies }: { readonly trustedProxies: readonly string[] }, counter: RequestCounter) {
  const addressOf = createClientAddress(trustedProxies);
  return {
    /** Targets that the router cannot read: `/%zz`, a segment that is too long. */
    frameworkErrors(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
      const context = { requestId: request.id, address: addressOf(request.raw) };
      void runInRequestContext(context, async () => {
        const problem = await countedOr(problemOf(error), () => counter.count({ address: context.address, listener: 'public' }));
        const { status, headers, body } = problemDocument(problem, request.id, responseHeaders());
        const { method = '', url: target = '' } = request.raw;
        logger.log(accessLine({ ...context, method, target, status, milliseconds: 0 }));
        void reply.code(status).headers(headers).send(body);
      });
    },

    /**
     * What Node's HTTP parser refuses before there is a request, for example smuggling (two lengths, a length and a transfer coding) or headers
     * that never end. The connection always closes: after a framing fault nobody can tell where the next request begins (ASVS v5.0.0-4.2.1;
     * RFC 9112 section 11.2).
     */
    clientErrorHandler(error: Error & { code?: string }, socket: Socket): void {
      const problem = problemOfParser(error.code);
      const begun = responseOn(socket);
      // A reset, a broken TLS handshake, or a response that is half out: there is nobody to answer.
      if (problem === undefined || !socket.writable || begun?.headersSent) return void socket.destroy();
      const context = { requestId: randomUUIDv7(), address: socket.remoteAddress ?? 'unknown' };
      void runInRequestContext(context, async () => {
        // A request whose body breaks off was counted when it began.
        const answer = begun === undefined ? await countedOr(problem, () => counter.count({ address: context.address, listener: 'public' })) : problem;
        if (responseOn(socket)?.headersSent) socket.destroy();
        writeProblem(socket, answer, context.requestId, responseHeaders());
        const line = accessLine({ ...context, method: 'unparsed', target: '-', status: answer.getStatus(), milliseconds: 0 });
        logger.warn({ ...line, 'error.code': error.code });
      });
    },
  };
}

/** The refusal, or 429 when there were too many of them; a counter that fails lets nothing through here. */
const countedOr = (problem: Problem, count: () => Promise<void>): Promise<Problem> =>
  count().then(
    () => problem,
    (thrown: unknown) => (thrown instanceof Problem ? thrown : problem),
  );
