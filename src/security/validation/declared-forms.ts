import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { getMetadataStorage } from 'class-validator';
import { listHandlers, type Handler } from '../../common/http/handlers.js';
import { parametersOf, type Parameter } from '../../common/http/parameters.js';
import { declaredAnswer } from '../../common/http/published.js';
import { shapeOf } from '../../common/http/view.js';

/**
 * Refuses the boot while a handler takes an input without a DTO class, or answers without a view class (practice 3.2).
 */
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
export const formFaults = (handlers: readonly Handler[]): string[] =>
  handlers.flatMap((handler) => [...inputFaults(handler), ...outputFaults(handler)]);

const inputFaults = ({ controller, key, name }: Handler): string[] =>
  parametersOf(controller, key).flatMap((parameter) => parameterFaults(name, parameter));

function parameterFaults(name: string, { form, part, picked, type, decorator }: Parameter): string[] {
  if (form === 'checked') return [];
  if (form === 'raw') return [rawFault(name, decorator)];
  if (part === 'headers') return headerFaults(name, type);
  if (picked !== undefined)
    return [`${name} picks one value out of the ${part}: take the whole ${part} as a DTO class`];
  return isDto(type) ? [] : [`${name} takes a ${part} without a DTO class`];
}

/** Node gives the names in lower case: a DTO with any other would never see its field, and never miss it. */
function headerFaults(name: string, dto: unknown): string[] {
  if (!isDto(dto)) return [`${name} takes header fields without a DTO class`];
  const wrong = fieldsOf(dto).filter((field) => field !== field.toLowerCase());
  return wrong.map((field) => `${name} takes the header field ${field}: write it in lower case`);
}

/**
 * No pipe runs for `@Headers()`, `@Req()`, `@RawBody()`, `@Ip()` and the like, nor checks what a custom decorator has
 * made: what a client wrote there would arrive unchecked. What a handler sends by `@Res()` itself leaves unchecked.
 */
function rawFault(name: string, decorator: string): string {
  if (decorator === 'custom')
    return (
      `${name} takes what a custom decorator has made, which is not validated: ` +
      'make the decorator with createCheckedParameter(), or take the input as a DTO class'
    );
  if (decorator === 'RESPONSE' || decorator === 'NEXT')
    return (
      `${name} takes ${decorator}, past which its answer is not held against a view: return the answer, ` +
      'and take @Res({ passthrough: true }) for headers'
    );
  return (
    `${name} takes ${decorator}, which is not validated: take the body, the query, the path or @RequestHeaders() ` +
    'as a DTO class'
  );
}

function outputFaults({ method, name }: Handler): string[] {
  const view = declaredAnswer(method);
  if (view === undefined)
    return [`${name} declares no answer: @ApiOkResponse({ type: SomeView }) or @ApiNoContentResponse()`];
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
  getMetadataStorage()
    .getTargetValidationMetadatas(dto, '', false, false)
    .map(({ propertyName }) => propertyName);
