import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import { DiscoveryService } from '@nestjs/core';
import { getMetadataStorage } from 'class-validator';
import { listHandlers, type Handler } from '../../common/handlers.js';
import { REQUEST_HEADERS } from '../../common/request-headers.js';
import { shapeOf } from '../../common/view.js';
import { declaredView } from './declared-view.js';

const inputs: Readonly<Record<string, string>> = {
  [RouteParamtypes.BODY]: 'body',
  [RouteParamtypes.QUERY]: 'query',
  [RouteParamtypes.PARAM]: 'path',
};

/** What a client has no part in. Custom decorators, such as `@CurrentPrincipal()`, have names of their own instead of these numbers. */
const harmless: ReadonlySet<string> = new Set([RouteParamtypes.RESPONSE, RouteParamtypes.NEXT].map(String));

/** Refuses the boot while a handler takes an input without a DTO class, or answers without a view class (practice 3.2). */
@Injectable()
export class DeclaredForms implements OnApplicationBootstrap {
  constructor(private readonly discovery: DiscoveryService) {}

  /** @throws Error that names every handler and what it lacks. */
  onApplicationBootstrap(): void {
    const faults = formFaults(listHandlers(this.discovery));
    if (faults.length > 0) throw new Error(`handlers without declared forms:\n  - ${faults.join('\n  - ')}`);
  }
}

/** What the handlers lack, in words for the operator. */
export const formFaults = (handlers: readonly Handler[]): string[] => handlers.flatMap((handler) => [...inputFaults(handler), ...outputFaults(handler)]);

function inputFaults({ controller, method, name }: Handler): string[] {
  const key = method.name;
  const args = (Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, key) ?? {}) as Record<string, { index: number; data?: unknown }>;
  const types = (Reflect.getMetadata('design:paramtypes', controller.prototype as object, key) ?? []) as unknown[];
  return Object.entries(args).flatMap(([kindAndIndex, { index, data }]) => {
    const kind = kindAndIndex.split(':')[0] ?? '';
    if (data === REQUEST_HEADERS) return headerFaults(name, types[index]);
    const input = inputs[kind];
    if (input === undefined) return /^\d+$/.test(kind) && !harmless.has(kind) ? [rawInput(name, Number(kind))] : [];
    if (data !== undefined) return [`${name} picks one value out of the ${input}: take the whole ${input} as a DTO class`];
    return isDto(types[index]) ? [] : [`${name} takes a ${input} without a DTO class`];
  });
}

/** Node gives the names in lower case: a DTO with any other would never see its field, and never miss it. */
function headerFaults(name: string, dto: unknown): string[] {
  if (!isDto(dto)) return [`${name} takes header fields without a DTO class`];
  const wrong = fieldsOf(dto).filter((field) => field !== field.toLowerCase());
  return wrong.map((field) => `${name} takes the header field ${field}: write it in lower case`);
}

/** No pipe of Nest runs for `@Headers()`, `@Req()`, `@RawBody()`, `@Ip()` and the like: what a client wrote there would arrive unchecked. */
const rawInput = (name: string, kind: RouteParamtypes): string =>
  `${name} takes ${RouteParamtypes[kind] ?? 'something'}, which is not validated: take the body, the query, the path or @RequestHeaders() as a DTO class`;

function outputFaults({ method, name }: Handler): string[] {
  const view = declaredView(method);
  if (view === undefined) return [`${name} declares no answer: @ApiOkResponse({ type: SomeView }) or @ApiNoContentResponse()`];
  if (typeof view === 'string') return [];
  try {
    shapeOf(view);
    return [];
  } catch (error) {
    return [`${name}: ${(error as Error).message}`];
  }
}

const isDto = (type: unknown): type is Function => typeof type === 'function' && fieldsOf(type).length > 0;

const fieldsOf = (dto: Function): string[] =>
  getMetadataStorage().getTargetValidationMetadatas(dto, '', false, false).map(({ propertyName }) => propertyName);
