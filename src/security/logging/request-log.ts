import { hash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { accessLine } from '../../common/access-line.js';
import type { ClientAddress } from '../../common/client-address.js';
import { runInRequestContext, type RequestContext } from '../../common/request-context.js';

/**
 * Opens the request's context and gives the client its id. The line is written when the response closes, so that
 * exchanges which the client broke off are logged too.
 */
export function createRequestHook(logger: Logger, addressOf: ClientAddress) {
  return (request: FastifyRequest, reply: FastifyReply, done: () => void): void => {
    const { headers } = request;
    const setCookie = (cookie: string): void => void reply.header('set-cookie', cookie);
    const context: RequestContext = { requestId: request.id, address: addressOf(request.raw), userAgent: headers['user-agent'], headers, setCookie };
    const startedAt = performance.now();
    reply.header('x-request-id', request.id);
    reply.raw.once('close', () => logger.info(lineOf(request, reply, context, startedAt)));
    runInRequestContext(context, done);
  };
}

function lineOf(request: FastifyRequest, reply: FastifyReply, context: RequestContext, startedAt: number) {
  const status = reply.raw.headersSent ? reply.raw.statusCode : undefined;
  return accessLine({
    requestId: context.requestId,
    address: context.address,
    method: request.method,
    target: request.raw.url ?? '',
    status,
    milliseconds: performance.now() - startedAt,
    route: request.is404 ? undefined : request.routeOptions.url,
    userId: context.principal?.userId,
    credential: fingerprint(request.headers.authorization),
  });
}

function fingerprint(authorization: string | undefined): string | undefined {
  if (authorization === undefined) return undefined;
  return hash('sha256', authorization.slice(authorization.indexOf(' ') + 1), 'hex').slice(0, 8);
}
