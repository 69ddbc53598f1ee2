import { Inject, Injectable, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { InjectThrottlerOptions, InjectThrottlerStorage, ThrottlerGuard, ThrottlerStorage, type ThrottlerModuleOptions } from '@nestjs/throttler';
import type { FastifyReply } from 'fastify';
import { oncePerHandler } from '../../common/handlers.js';
import { limitClassOf } from '../../common/rate-limit.decorator.js';
import { RefusedCallers } from '../../common/refused-callers.js';
import type { LimitedRequest } from './limit-keys.js';
import { Limiter } from './limiter.js';
import { limitsAfterAuthentication, limitsBeforeAuthentication, limitsOfCallers, type Limit } from './limits.js';

const classOf = oncePerHandler(limitClassOf);

/** What both guards share: the throttler's guard, with the limits of the route resolved once instead of at each request. */
@Injectable()
abstract class LimitGuard extends ThrottlerGuard {
  @Inject(Limiter) private readonly limiter: Limiter;

  constructor(
    @InjectThrottlerOptions() options: ThrottlerModuleOptions,
    @InjectThrottlerStorage() storage: ThrottlerStorage,
    reflector: Reflector,
  ) {
    super(options, storage, reflector);
  }

  /** The base class prepares its list of throttlers here; ours is limits.ts. */
  override async onModuleInit(): Promise<void> {}

  protected abstract limitsOf(context: ExecutionContext, request: LimitedRequest): readonly Limit[];

  override async canActivate(context: ExecutionContext): Promise<true> {
    await this.count(this.limitsOf(context, context.switchToHttp().getRequest<LimitedRequest>()), context);
    return true;
  }

  protected async count(limits: readonly Limit[], context: ExecutionContext): Promise<void> {
    const http = context.switchToHttp();
    for (const limit of limits) await this.limiter.count(limit, http.getRequest<LimitedRequest>(), http.getResponse<FastifyReply>());
  }
}

/** Stands before authentication in the table: by network and by the account that a login or a mail is for. */
@Injectable()
export class RouteLimitGuard extends LimitGuard {
  protected limitsOf(context: ExecutionContext): readonly Limit[] {
    return limitsBeforeAuthentication[classOf(context.getHandler(), context.getClass())];
  }
}

const { anonymous, user } = limitsAfterAuthentication;

/** Per route and once: what guests and what users are asked there. */
const callerLimitsOf = oncePerHandler((handler, controller) => {
  const limitClass = classOf(handler, controller);
  const further = limitsOfCallers[limitClass] ?? [];
  const guests = limitClass === 'api' ? [anonymous] : [];
  return { anonymous: [...guests, ...further], refused: guests, user: [user, ...further] };
});

/** Stands after authentication in the table: by user, and by network for guests; whom authentication refuses is a guest too. */
@Injectable()
export class CallerLimitGuard extends LimitGuard {
  @Inject(RefusedCallers) private readonly refused: RefusedCallers;

  override async onModuleInit(): Promise<void> {
    // Else a refusal would cost its caller nothing but the limit of all requests, twenty times as high (ASVS v5.0.0-2.4.1).
    this.refused.onRefused((context) => this.count(callerLimitsOf(context.getHandler(), context.getClass()).refused, context));
  }

  protected limitsOf(context: ExecutionContext, request: LimitedRequest): readonly Limit[] {
    const limits = callerLimitsOf(context.getHandler(), context.getClass());
    return request.user === undefined ? limits.anonymous : limits.user;
  }
}
