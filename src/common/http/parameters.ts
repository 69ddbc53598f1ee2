import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { RESPONSE_PASSTHROUGH_METADATA, ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import { ApiHeader, type ApiHeaderOptions } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { publishedFields } from './published.js';

/** The parts of a request that a client fills. */
export type InputPart = 'path' | 'query' | 'body' | 'headers';

/** One parameter of a handler, as its decorator declares it. */
export interface Parameter {
  readonly index: number;
  /** Left out for what is in none of the parts: the caller, the reply. */
  readonly part?: InputPart | undefined;
  /** Who looks at the value: the input pipe, by a DTO class; the decorator itself; nobody. */
  readonly form: 'dto' | 'checked' | 'raw';
  /** Nest's name for the decorator: `BODY`, `REQUEST`; `custom` for all others. */
  readonly decorator: string;
  /** The one value that is picked out of the part. */
  readonly picked?: unknown;
  readonly type: Function | undefined;
}

/**
 * Marks, among the values that custom decorators make, the one that a client sent as it is: security/validation reduces
 * it to its DTO.
 */
export const REQUEST_HEADERS = 'request-headers';

const checked = new WeakMap<Function, InputPart | undefined>();

/**
 * A parameter decorator whose values need no DTO class: either nothing of it is written by a client, such as the
 * caller, or `read` itself refuses whatever has not its form, such as a signed body. Of any other custom decorator
 * nobody knows who checks it: a handler that uses one stops the boot.
 * @param part what of the request it takes instead of a DTO class: the handler then takes that part.
 */
export function createCheckedParameter(read: (request: FastifyRequest) => unknown, part?: InputPart) {
  const factory = (_: unknown, context: ExecutionContext): unknown => read(context.switchToHttp().getRequest());
  checked.set(factory, part);
  return createParamDecorator(factory);
}

/** What Nest remembers of an argument; `factory` of custom decorators only. */
interface Argument {
  readonly index: number;
  readonly data?: unknown;
  readonly factory?: Function;
}

const parts: Readonly<Partial<Record<string, InputPart>>> = { PARAM: 'path', QUERY: 'query', BODY: 'body' };

/** The parameters of a handler, in their order. */
export function parametersOf(controller: Function, key: string): Parameter[] {
  const args = (Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, key) ?? {}) as Record<string, Argument>;
  const types = (Reflect.getMetadata('design:paramtypes', controller.prototype as object, key) ?? []) as Function[];
  const handsBack = Reflect.getMetadata(RESPONSE_PASSTHROUGH_METADATA, controller, key) === true;
  return Object.entries(args)
    .map(([kind, argument]) => {
      const { index } = argument;
      return { index, type: types[index], ...formOf(RouteParamtypes[Number.parseInt(kind)], argument, handsBack) };
    })
    .toSorted((one, other) => one.index - other.index);
}

function formOf(
  decorator = 'custom',
  { data: picked, factory }: Argument,
  handsBack: boolean,
): Pick<Parameter, 'decorator' | 'part' | 'form' | 'picked'> {
  if (factory !== undefined) {
    if (picked === REQUEST_HEADERS) return { decorator: 'custom', part: 'headers', form: 'dto' };
    return { decorator: 'custom', part: checked.get(factory), form: checked.has(factory) ? 'checked' : 'raw' };
  }
  const part = parts[decorator];
  if (part !== undefined) return { decorator, part, form: 'dto', picked };
  // The reply in the hand of a handler that hands its answer back all the same is no input.
  return { decorator, form: decorator === 'RESPONSE' && handsBack ? 'checked' : 'raw' };
}

const Headers = createParamDecorator(
  (_: unknown, context: ExecutionContext) => context.switchToHttp().getRequest<FastifyRequest>().headers,
);

/**
 * The header fields that the handler reads, as a DTO class whose properties are their names in lower case. Others are
 * not its business, so they are not refused. A fault is a 400 with the pointer `header:<name>`.
 */
export const RequestHeaders = (): ParameterDecorator => (target, key, index) => {
  Headers(REQUEST_HEADERS)(target, key, index);
  const method = key === undefined ? undefined : Object.getOwnPropertyDescriptor(target, key);
  if (key === undefined || method === undefined) return;
  const dto = ((Reflect.getMetadata('design:paramtypes', target, key) ?? []) as unknown[])[index];
  if (typeof dto !== 'function') return;
  for (const [name, { required, description, isArray: _, ...schema }] of publishedFields(dto))
    ApiHeader({ name, required, description, schema: schema as ApiHeaderOptions['schema'] })(target, key, method);
};
