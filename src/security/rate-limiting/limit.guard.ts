import { Inject, Injectable, type CanActivate, type ExecutionContext, type OnModuleInit } from '@nestjs/common';
import type { Reflector } from '@nestjs/core';
import { ThrottlerGuard, type ThrottlerRequest } from '@nestjs/throttler';
import type { FastifyReply } from 'fastify';
import type { Principal } from '../../common/access/principal.js';
import { RefusedCallers } from '../../common/access/refused-callers.js';
import { oncePerHandler } from '../../common/http/handlers.js';
import { ordinaryLimits, rateLimitsOf, type Limit } from '../../common/http/rate-limit.js';
import { LimitKeys, type LimitedRequest } from './limit-keys.js';
import { Limiter } from './limiter.js';
import { anonymous, isOfCaller, machines, signedIn } from './limits.js';

/**
 * The guard of @nestjs/throttler reads metadata of the handler six times for each limit, at each request. None of its
 * decorators is used here: the limits of a route are known when its guard is made.
 */
const noMetadata = { getAllAndOverride: () => undefined } as unknown as Reflector;

/** Asks the limits of a list, in their order, until one refuses. */
class ListedLimitsGuard extends ThrottlerGuard {
  private readonly listed: ReadonlyMap<string | undefined, Limit>;

  constructor(
    limits: readonly Limit[],
    private readonly limiter: Limiter,
    keys: LimitKeys,
  ) {
    super([], limiter.storage, noMetadata);
    this.listed = new Map(limits.map((limit) => [limit.name, limit]));
    // Instead of onModuleInit(), which would sort them by the length of their windows.
    this.commonOptions = { generateKey: (_, tracker) => tracker };
    this.throttlers = limits.map((limit) => ({
      name: limit.name,
      limit: limiter.maxOf(limit),
      ttl: limit.windowSeconds * 1000,
      skipIf: (context) => !keys.concerns(limit, context.switchToHttp().getRequest()),
      getTracker: (request) => keys.keyOf(limit, request as LimitedRequest),
    }));
  }

  /** As in the package, but for the fields of the answer, which are those of the standard, and the problem document. */
  protected override async handleRequest(asked: ThrottlerRequest): Promise<boolean> {
    const { context, getTracker, generateKey } = asked;
    const limit = this.listed.get(asked.throttler.name);
    if (limit === undefined) throw new TypeError('a limit of another list was asked');
    const { req, res } = this.getRequestResponse(context);
    const key = generateKey(context, await getTracker(req, context), limit.name);
    this.limiter.conclude(limit, await this.limiter.count(limit, key), (name, item) =>
      append(res as FastifyReply, name, item),
    );
    return true;
  }
}

const append = (reply: FastifyReply, name: string, item: string): void => {
  const present = reply.getHeader(name);
  void reply.header(name, typeof present === 'string' ? `${present}, ${item}` : item);
};

/** Makes the guards of the lists; none for an empty one. */
@Injectable()
export class LimitLists {
  private readonly ofMachines = new WeakMap<readonly Limit[], CanActivate>();

  constructor(
    @Inject(Limiter) private readonly limiter: Limiter,
    @Inject(LimitKeys) private readonly keys: LimitKeys,
  ) {}

  guardOf(limits: readonly Limit[]): CanActivate | undefined {
    return limits.length === 0 ? undefined : new ListedLimitsGuard(limits, this.limiter, this.keys);
  }

  /** For what a machine brings with it: lists that its feature declared, few of them. */
  guardOfMachine(limits: readonly Limit[]): CanActivate {
    const guard = this.ofMachines.get(limits) ?? new ListedLimitsGuard(limits, this.limiter, this.keys);
    this.ofMachines.set(limits, guard);
    return guard;
  }
}

/** Stands before authentication in the table: by network and by the account that a login or a mail is for. */
@Injectable()
export class RouteLimitGuard implements CanActivate {
  private readonly guardOf = oncePerHandler((handler, controller) =>
    this.lists.guardOf(rateLimitsOf(handler, controller).limits.filter((limit) => !isOfCaller(limit))),
  );

  constructor(private readonly lists: LimitLists) {}

  canActivate(context: ExecutionContext) {
    return this.guardOf(context.getHandler(), context.getClass())?.canActivate(context) ?? true;
  }
}

/**
 * Stands after authentication in the table: by user, and by network for guests; whom authentication refuses is a guest
 * too.
 */
@Injectable()
export class CallerLimitGuard implements CanActivate, OnModuleInit {
  private readonly guardsOf = oncePerHandler((handler, controller) => {
    const own = rateLimitsOf(handler, controller);
    const further = own.limits.filter(isOfCaller);
    const guests = own === ordinaryLimits ? [anonymous] : [];
    return {
      anonymous: this.lists.guardOf([...guests, ...further]),
      refused: this.lists.guardOf(guests),
      person: this.lists.guardOf([signedIn, ...further]),
      standard: this.lists.guardOf([machines.standard, ...further]),
      high: this.lists.guardOf([machines.high, ...further]),
    };
  });

  constructor(
    private readonly lists: LimitLists,
    private readonly refused: RefusedCallers,
  ) {}

  onModuleInit(): void {
    // Else a refusal would cost its caller nothing but the limit of all requests, twenty times as high (ASVS
    // v5.0.0-2.4.1).
    this.refused.onRefused(async (context) => void (await this.guardsFor(context).refused?.canActivate(context)));
  }

  canActivate(context: ExecutionContext) {
    const guards = this.guardsFor(context);
    const { user: caller } = context.switchToHttp().getRequest<LimitedRequest>();
    const isWithin = guards[listOf(caller)]?.canActivate(context) ?? true;
    return caller?.kind === 'machine' && caller.limits !== undefined
      ? this.lastly(isWithin, caller.limits, context)
      : isWithin;
  }

  private async lastly(isWithin: unknown, limits: readonly Limit[], context: ExecutionContext): Promise<boolean> {
    return (await isWithin) === true && (await this.lists.guardOfMachine(limits).canActivate(context)) === true;
  }

  private guardsFor(context: ExecutionContext) {
    return this.guardsOf(context.getHandler(), context.getClass());
  }
}

function listOf(caller: Principal | undefined) {
  if (caller === undefined) return 'anonymous';
  return caller.kind === 'machine' ? caller.tier : 'person';
}
