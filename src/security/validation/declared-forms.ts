import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import { DiscoveryService } from '@nestjs/core';
import { getMetadataStorage } from 'class-validator';
import { listHandlers, type Handler } from '../../common/handlers.js';
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
    const faults = listHandlers(this.discovery).flatMap((handler) => [...inputFaults(handler), ...outputFaults(handler)]);
    if (faults.length > 0) throw new Error(`handlers without declared forms:\n  - ${faults.join('\n  - ')}`);
  }
}

function inputFaults({ controller, method, name }: Handler): string[] {
  const key = method.name;
  const args = (Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, key) ?? {}) as Record<string, { index: number; data?: unknown }>;
  const types = (Reflect.getMetadata('design:paramtypes', controller.prototype as object, key) ?? []) as unknown[];
  return Object.entries(args).flatMap(([kindAndIndex, { index, data }]) => {
    const kind = kindAndIndex.split(':')[0] ?? '';
    const input = inputs[kind];
    if (input === undefined) return /^\d+$/.test(kind) && !harmless.has(kind) ? [rawInput(name, Number(kind))] : [];
    if (data !== undefined) return [`${name} picks one value out of the ${input}: take the whole ${input} as a DTO class`];
    return isDto(types[index]) ? [] : [`${name} takes a ${input} without a DTO class`];
  });
}

/** No pipe of Nest runs for `@Headers()`, `@Req()`, `@RawBody()`, `@Ip()` and the like: what a client wrote there would arrive unchecked. */
const rawInput = (name: string, kind: RouteParamtypes): string =>
  `${name} takes ${RouteParamtypes[kind] ?? 'something'}, which is not validated: take the body, the query or the path as a DTO class`;

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

const isDto = (type: unknown): boolean =>
  typeof type === 'function' && getMetadataStorage().getTargetValidationMetadatas(type, '', false, false).length > 0;
