import { Readable } from 'node:stream';
import {
  Injectable,
  StreamableFile,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { REDIRECT_METADATA } from '@nestjs/common/constants.js';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { map, type Observable } from 'rxjs';
import { ENTITY_TAGGED, isNotModified, tagAnswer } from '../../common/http/entity-tag.js';
import { oncePerHandler } from '../../common/http/handlers.js';
import { declaredAnswer, declaredRefusals } from '../../common/http/published.js';
import { fieldNamesOf, shapeOf, type Shape } from '../../common/http/view.js';
import { isStreamOf } from '../../common/http/view-stream.js';

const RELEASED = Symbol('released');

type Reply = FastifyReply & { [RELEASED]: boolean };
type Done = (error: Error | null, payload?: unknown) => void;

/** Makes of what a handler returns what may leave, and notes on the reply that it may. */
type Release = (value: unknown, reply: Reply) => unknown;

const releaseOf = oncePerHandler<Release>((handler) => {
  const declared = declaredAnswer(handler);
  if (declared === 'nothing' && Reflect.hasMetadata(REDIRECT_METADATA, handler)) return releaseTarget;
  if (declared === 'nothing') return () => undefined;
  if (declared === 'file') return (value, reply) => released(reply, value);
  // The boot refuses a handler that declares nothing; of one that got here all the same, nothing leaves.
  if (declared === undefined) return releaseNothing;
  const tagged = Reflect.getMetadata(ENTITY_TAGGED, handler) === true ? fieldNamesOf(declared) : undefined;
  const release = releaseView(shapeOf(declared), tagged);
  const refusals = new Map(
    [...declaredRefusals(handler)].map(([status, view]) => [status, releaseView(shapeOf(view))]),
  );
  return refusals.size === 0 ? release : (value, reply) => (refusals.get(reply.statusCode) ?? release)(value, reply);
});

/** Where a handler with `@Redirect()` sends the caller: an address and a status, and no body. */
const releaseTarget: Release = (value) => {
  const { url, statusCode } = value as { readonly url: string; readonly statusCode?: number };
  return { url, statusCode };
};

const releaseNothing: Release = (value, reply) => {
  if (isEmpty(value)) return value;
  throw undeclared(reply);
};

const releaseView =
  (shape: Shape, tagged?: readonly string[]): Release =>
  (value, reply) => {
    if (isEmpty(value)) return value;
    if (value instanceof StreamableFile && isStreamOf(value.getStream(), shape)) return released(reply, value);
    if (!isRow(value)) throw undeclared(reply);
    const answer = shape(value);
    if (tagged !== undefined) tagAnswer(reply, value, answer, tagged);
    return released(reply, answer);
  };

/** Texts, bytes and streams have no fields: what is in them, no view declares. */
const isRow = (value: unknown): boolean =>
  typeof value === 'object' &&
  !ArrayBuffer.isView(value) &&
  !(value instanceof StreamableFile) &&
  !(value instanceof Readable);

const isEmpty = (value: unknown): boolean => value === undefined || value === null || value === '';

function released(reply: Reply, value: unknown): unknown {
  reply[RELEASED] = true;
  return value;
}

const undeclared = ({ request }: Reply): Error =>
  new Error(`${request.method} ${request.routeOptions.url ?? '?'} answers with what no view declares`);

/**
 * Only the fields of the declared view leave, whatever the handler returns: a column that is added tomorrow, or a whole
 * row that is returned by mistake, stays inside (OWASP API3, ASVS v5.0.0-15.3.1). The answer gets its entity tag here
 * too, because the tag says which of the fields are there.
 */
@Injectable()
export class AnswerInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const release = releaseOf(context.getHandler(), context.getClass());
    const reply = context.switchToHttp().getResponse<Reply>();
    return next.handle().pipe(map((value) => release(value, reply)));
  }
}

/**
 * Holds back what the interceptor has not released: whoever has the reply, or stands in front of the guards, can send
 * past every interceptor, and a hook of Fastify sees all of it.
 */
export function holdBackUnreleased(instance: FastifyInstance): void {
  instance.decorateReply(RELEASED, false);
  instance.addHook('onSend', (_request, reply, payload, done) => letPass(reply as Reply, payload, done));
}

function letPass(reply: Reply, payload: unknown, done: Done): void {
  if (!reply[RELEASED]) return isEmpty(payload) || isProblem(reply) ? done(null, payload) : done(undeclared(reply));
  // Here and not in the interceptor: only now has everything else let the answer pass, and its length is known to HEAD.
  if (isNotModified(reply)) return withoutBody(reply, payload, done);
  done(null, payload);
}

function withoutBody(reply: Reply, payload: unknown, done: Done): void {
  reply.code(304).removeHeader('content-type');
  // To HEAD, Fastify itself sends the length of the payload instead of the payload.
  done(null, reply.request.method === 'HEAD' ? payload : null);
}

/** What security/errors writes, also in place of an answer that was held back here. */
const isProblem = (reply: FastifyReply): boolean =>
  reply.statusCode >= 400 && String(reply.getHeader('content-type')).startsWith('application/problem+json');
