import { hash } from 'node:crypto';
import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import type { Logger } from 'pino';
import { finalize, type Observable } from 'rxjs';
import { accessLine } from '../../common/access/access-line.js';
import { bytesOf } from '../../common/http/body-bytes.js';
import { requestContext } from '../../common/http/request-context.js';
import type { Answered, RequestCounter } from '../../common/http/request-counter.js';

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
 * Writes the record as one line when the response closes: what guards, router and parser refuse meets no interceptor,
 * and an exchange that the client breaks off is over after the last byte only. The plain listeners write their own.
 */
export function logRequests(counter: RequestCounter, logger: Logger): void {
  counter.onAnswered(({ exchange, ...answered }) => {
    if (exchange !== undefined) logger.info(lineOf(exchange, answered));
  });
}

function lineOf({ request, reply }: NonNullable<Answered['exchange']>, answered: Omit<Answered, 'exchange'>) {
  const { context, ...rest } = answered;
  const { requestId, trace, address, handler, principal } = context;
  return accessLine({
    ...rest,
    requestId,
    trace,
    address,
    handler,
    principal,
    target: request.raw.url ?? '',
    bytes: bytesOf(request.raw, reply.raw, reply.getHeader('content-length')),
    credential: fingerprint(request.headers.authorization),
  });
}

function fingerprint(authorization: string | undefined): string | undefined {
  if (authorization === undefined) return undefined;
  return hash('sha256', authorization.slice(authorization.indexOf(' ') + 1), 'hex').slice(0, 8);
}
