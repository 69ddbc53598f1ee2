import { hash } from 'node:crypto';
import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { finalize, type Observable } from 'rxjs';
import { accessLine } from '../../common/access/access-line.js';
import type { Principal } from '../../common/access/principal.js';
import { requestContext, type RequestContext } from '../../common/http/request-context.js';

/**
 * Writes into the record of the request which handler it came to, and how long that took. The time until the last byte
 * is in the record too, and with it how fast the client reads: only both tell a slow handler from a slow client.
 */
@Injectable()
export class RequestLogInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const record = requestContext();
    if (record === undefined) return next.handle();
    const startedAt = performance.now();
    const name = `${context.getClass().name}.${context.getHandler().name}`;
    return next.handle().pipe(
      finalize(() => {
        record.handler = { name, milliseconds: performance.now() - startedAt };
      }),
    );
  }
}

/**
 * Writes the record as one line when the response closes. A hook of Fastify and an event of the response, because what
 * guards, router and parser refuse meets no interceptor, and because an exchange that the client breaks off is over
 * after the last byte only.
 */
export function logRequests(instance: FastifyInstance, logger: Logger): void {
  instance.addHook('onRequest', (request, reply, done) => {
    const record = requestContext();
    const startedAt = performance.now();
    reply.raw.once('close', () => logger.info(lineOf(request, reply, record, startedAt)));
    done();
  });
}

function lineOf(request: FastifyRequest, reply: FastifyReply, record: RequestContext | undefined, startedAt: number) {
  return accessLine({
    requestId: request.id,
    address: record?.address ?? request.socket.remoteAddress ?? 'unknown',
    method: request.method,
    target: request.raw.url ?? '',
    status: reply.raw.headersSent ? reply.raw.statusCode : undefined,
    milliseconds: performance.now() - startedAt,
    route: request.is404 ? undefined : request.routeOptions.url,
    handler: record?.handler,
    ...idsOf(record?.principal),
    credential: fingerprint(request.headers.authorization),
  });
}

const idsOf = (principal: Principal | undefined) => ({
  userId: principal?.userId,
  machineId: principal?.kind === 'machine' ? principal.machineId : undefined,
});

function fingerprint(authorization: string | undefined): string | undefined {
  if (authorization === undefined) return undefined;
  return hash('sha256', authorization.slice(authorization.indexOf(' ') + 1), 'hex').slice(0, 8);
}
