import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import type { FastifyRequest } from 'fastify';
import { oncePerHandler } from '../../common/handlers.js';
import { Problem } from '../../common/problem.js';

interface Declared {
  readonly body: boolean;
  readonly query: boolean;
}

const declaredBy = oncePerHandler<Declared>((handler, controller) => {
  const args = (Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, handler.name) ?? {}) as Record<string, unknown>;
  const kinds = new Set(Object.keys(args).map((key) => Number(key.split(':')[0])));
  return { body: kinds.has(RouteParamtypes.BODY), query: kinds.has(RouteParamtypes.QUERY) };
});

/** No pipe runs for an input that a handler does not take: what comes there all the same is unknown, and refused. */
@Injectable()
export class UndeclaredInputGuard implements CanActivate {
  canActivate(context: ExecutionContext): true {
    const declared = declaredBy(context.getHandler(), context.getClass());
    const { query, body } = context.switchToHttp().getRequest<FastifyRequest>();
    if (!declared.query && hasKeys(query)) throw new Problem('malformed-request', 'This route takes no query parameters.');
    if (!declared.body && hasKeys(body)) throw new Problem('malformed-request', 'This route takes no body.');
    return true;
  }
}

function hasKeys(value: unknown): boolean {
  for (const _ in value as object) return true;
  return value !== undefined && value !== null && typeof value !== 'object';
}
