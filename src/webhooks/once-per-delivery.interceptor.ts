import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { from, lastValueFrom, type Observable } from 'rxjs';
import { withoutUnknown } from '../common/http/declared-fields.js';
import { oncePerHandler } from '../common/http/handlers.js';
import { parametersOf } from '../common/http/parameters.js';
import { Problem } from '../common/http/problem.js';
import { Database } from '../database/index.js';
import { DeliveriesRepository } from './deliveries.repository.js';
import { deliveryOf } from './verification.js';

const bodyTypeOf = oncePerHandler(
  (handler, controller) => parametersOf(controller, handler.name).find(({ part }) => part === 'body')?.type,
);

/**
 * A delivery is remembered in the transaction of what it causes: both are there, or neither. Whoever comes second waits
 * for the first, and does nothing when that has worked (ASVS v5.0.0-2.3.3, 15.4.2).
 */
@Injectable()
export class OncePerDelivery implements NestInterceptor {
  constructor(
    private readonly database: Database,
    private readonly deliveries: DeliveriesRepository,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const delivery = deliveryOf(request.raw);
    // The guard has refused it already.
    if (delivery === undefined) throw new Problem('forbidden');
    const dto = bodyTypeOf(context.getHandler(), context.getClass());
    if (dto !== undefined) request.body = withoutUnknown(dto, request.body);
    return from(
      this.database.transaction(async () => {
        if (!(await this.deliveries.claim(delivery))) return undefined;
        return lastValueFrom(next.handle(), { defaultValue: undefined });
      }),
    );
  }
}
