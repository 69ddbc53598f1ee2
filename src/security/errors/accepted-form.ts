import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';

export type Form = 'json' | 'html';

/**
 * HTML for a caller who prefers it by `Accept`, JSON for everybody else. Whoever asks for neither is better served by an answer than by a 406
 * (RFC 9110 section 12.4.1): clients of problem documents ask for `application/problem+json` alone.
 */
export const AcceptedForm = createParamDecorator((_: unknown, context: ExecutionContext): Form => {
  const accept = context.switchToHttp().getRequest<FastifyRequest>().headers.accept ?? '*/*';
  return weightOf('text', 'html', accept) > weightOf('application', 'json', accept) ? 'html' : 'json';
});

/** The weight of the most specific range that matches (RFC 9110 section 12.5.1); what is no weight counts as none. */
function weightOf(type: string, subtype: string, accept: string): number {
  const weights = new Map<string, number>();
  for (const range of accept.toLowerCase().split(',')) {
    const [name = '', ...parameters] = range.split(';').map((part) => part.trim());
    const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? '1';
    weights.set(name, /^(0(\.\d{0,3})?|1(\.0{0,3})?)$/.test(weight) ? Number(weight) : 0);
  }
  return weights.get(`${type}/${subtype}`) ?? weights.get(`${type}/*`) ?? weights.get('*/*') ?? 0;
}
