import type { Socket } from 'node:net';
import { Logger } from '@nestjs/common';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { accessLine } from '../../common/access/access-line.js';
import { createClientAddress } from '../../common/http/client-address.js';
import { problemDocument } from '../../common/http/problem-document.js';
import { runInRequestContext } from '../../common/http/request-context.js';
import type { RequestCounter } from '../../common/http/request-counter.js';
import { responseHeaders } from '../../common/http/response-headers.js';
import { traceOf } from '../../common/http/trace-context.js';
import { answerUnparsed, countedOr, type UnparsedRules } from '../../common/http/unparsed.js';
import { problemOf } from './problem-of.js';

const logger = new Logger('Errors');

/** The answers for what meets no hook of Fastify: each is counted, gets all headers and its line in the log here. */
export function createErrorHandlers(
  { trustedProxies }: { readonly trustedProxies: readonly string[] },
  counter: RequestCounter,
) {
  const addressOf = createClientAddress(trustedProxies);
  const count = (address: string): Promise<void> => counter.count({ address, listener: 'public' });
  const refused = { listener: 'https', milliseconds: 0 } as const;
  const answered: UnparsedRules['answered'] = (status, context) =>
    counter.answered({ ...refused, method: 'unparsed', status, context });
  return {
    /** Targets that the router cannot read: `/%zz`, a segment that is too long. */
    frameworkErrors(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
      const context = {
        requestId: request.id,
        trace: traceOf(request.headers['traceparent']),
        address: addressOf(request.raw),
      };
      void runInRequestContext(context, async () => {
        const problem = await countedOr(problemOf(error), () => count(context.address));
        const { status, headers, body } = problemDocument(problem, request.id, responseHeaders());
        const { method = '', url: target = '' } = request.raw;
        logger.log(accessLine({ ...context, method, target, status, milliseconds: 0 }));
        counter.answered({ ...refused, method, status, context });
        void reply.code(status).headers(headers).send(body);
      });
    },

    /** What Node's HTTP parser refuses. */
    clientErrorHandler(error: Error & { code?: string }, socket: Socket): void {
      void answerUnparsed(error, socket, { logger, count, answered, headers: responseHeaders });
    },
  };
}
