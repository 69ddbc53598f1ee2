import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { oncePerHandler } from '../../common/http/handlers.js';
import { parametersOf } from '../../common/http/parameters.js';
import { Problem } from '../../common/http/problem.js';

const declaredBy = oncePerHandler((handler, controller) => {
  const declared = new Set(parametersOf(controller, handler.name).map(({ part }) => part));
  return { body: declared.has('body'), query: declared.has('query') };
});

/** No pipe runs for an input that a handler does not take: what comes there all the same is unknown, and refused. */
@Injectable()
export class UndeclaredInputGuard implements CanActivate {
  canActivate(context: ExecutionContext): true {
    const declared = declaredBy(context.getHandler(), context.getClass());
    const { query, body } = context.switchToHttp().getRequest<FastifyRequest>();
    if (!declared.query && hasKeys(query))
      throw new Problem('malformed-request', 'This route takes no query parameters.');
    if (!declared.body && hasKeys(body)) throw new Problem('malformed-request', 'This route takes no body.');
    return true;
  }
}

function hasKeys(value: unknown): boolean {
  for (const _ in value as object) return true;
  return value !== undefined && value !== null && typeof value !== 'object';
}
