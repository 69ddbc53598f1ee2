import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ApiHeader, type ApiHeaderOptions } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';

/** Marks, among the values that parameter decorators make, the one that a client sent: security/validation reduces it to its DTO. */
export const REQUEST_HEADERS = 'request-headers';

const Headers = createParamDecorator((_: unknown, context: ExecutionContext) => context.switchToHttp().getRequest<FastifyRequest>().headers);

/**
 * The header fields that the handler reads, as a DTO class whose properties are their names in lower case. Others are not its business,
 * so they are not refused. A fault is a 400 with the pointer `header:<name>`.
 */
export const RequestHeaders = (): ParameterDecorator => (target, key, index) => {
  Headers(REQUEST_HEADERS)(target, key, index);
  const method = key === undefined ? undefined : Object.getOwnPropertyDescriptor(target, key);
  if (key === undefined || method === undefined) return;
  const dto = ((Reflect.getMetadata('design:paramtypes', target, key) ?? []) as unknown[])[index];
  if (typeof dto !== 'function') return;
  for (const header of publishedHeaders(dto.prototype as object)) ApiHeader(header)(target, key, method);
};

// The metadata keys of @nestjs/swagger's decorators; the package does not export its constants.
const API_PROPERTY = 'swagger/apiModelProperties';
const API_PROPERTIES = 'swagger/apiModelPropertiesArray';

interface Property {
  readonly isArray?: boolean;
  readonly required?: boolean;
  readonly description?: string;
}

function publishedHeaders(dto: object): ApiHeaderOptions[] {
  const names = ((Reflect.getMetadata(API_PROPERTIES, dto) ?? []) as string[]).map((name) => name.replace(/^:/, ''));
  return names.map((name) => {
    const { required, description, isArray: _, ...schema } = Reflect.getMetadata(API_PROPERTY, dto, name) as Property;
    return { name, required, description, schema };
  });
}
