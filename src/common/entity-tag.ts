import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { Problem } from './problem.js';

/** The entity tag of a version: strong, RFC 9110 section 8.8.3. */
export const entityTag = (version: number): string => `"${version}"`;

/**
 * The version that the caller has seen, from `If-Match`. Without it two editors overwrite each other unseen (lost update).
 * `*` is refused too: it would mean "whatever is there now".
 * @throws Problem precondition-required (428) when it is missing, precondition-failed (412) when it is no tag of ours.
 */
export const IfMatch = createParamDecorator((_: unknown, context: ExecutionContext): number => {
  const header = context.switchToHttp().getRequest<FastifyRequest>().headers['if-match'];
  if (header === undefined || header === '*') throw new Problem('precondition-required', 'Send the ETag that you have read as If-Match.');
  const version = /^"(\d{1,9})"$/.exec(header)?.[1];
  if (version === undefined) throw new Problem('precondition-failed');
  return Number(version);
});
