import type { Type } from '@nestjs/common';
import { REDIRECT_METADATA } from '@nestjs/common/constants.js';

// What the decorators of @nestjs/swagger have written down: what is published is also what is enforced. The package
// does not export the keys of its metadata, so that this is the one place that knows them.
const keys = {
  field: 'swagger/apiModelProperties',
  fields: 'swagger/apiModelPropertiesArray',
  answers: 'swagger/apiResponse',
  produces: 'swagger/apiProduces',
  furtherModels: 'swagger/apiExtraModels',
  excluded: ['swagger/apiExcludeController', 'swagger/apiExcludeEndpoint'],
} as const;

/** The schema of a field, in the words of `@ApiProperty()`. */
export interface PublishedField {
  readonly type?: unknown;
  readonly isArray?: boolean;
  readonly required?: boolean;
  readonly description?: string;
}

/** The fields of a DTO or a view, with their schemas. */
export function publishedFields({ prototype }: Function): [name: string, field: PublishedField][] {
  // Each name is listed as `:name`.
  const names = ((Reflect.getMetadata(keys.fields, prototype as object) ?? []) as string[]).map((name) =>
    name.slice(1),
  );
  return names.map((name) => [
    name,
    (Reflect.getMetadata(keys.field, prototype as object, name) ?? {}) as PublishedField,
  ]);
}

/**
 * The classes that a handler answers with, of every status, and those that it names besides.
 * @public: every user of it can be removed.
 */
export function publishedModels(handler: Function): unknown[] {
  const further = (Reflect.getMetadata(keys.furtherModels, handler) ?? []) as unknown[];
  return [...answersOf(handler).map(([, { type }]) => type), ...further];
}

/** False for what is left out of the document. */
export const isPublished = (handler: Function, controller: Function): boolean =>
  !keys.excluded.some((key) => Reflect.hasMetadata(key, handler) || Reflect.hasMetadata(key, controller));

/**
 * What a handler declares that leaves: the view of its 2xx answer, `nothing` for one without a body (204, or a
 * redirect), a `file`; undefined when it has not said.
 */
export function declaredAnswer(handler: Function): Type | 'nothing' | 'file' | undefined {
  if (Reflect.hasMetadata(keys.produces, handler)) return 'file';
  const [status, answer] = answersOf(handler).find(([code]) => code.startsWith('2')) ?? [];
  if (answer?.type !== undefined) return answer.type;
  return status === '204' || (status === undefined && Reflect.hasMetadata(REDIRECT_METADATA, handler))
    ? 'nothing'
    : undefined;
}

/**
 * The views of answers with such a status that are no problem documents, because the standard of a protocol demands
 * another form, by status.
 */
export const declaredRefusals = (handler: Function): ReadonlyMap<number, Type> =>
  new Map(
    answersOf(handler).flatMap(([code, { type }]) =>
      Number(code) >= 400 && type !== undefined ? [[Number(code), type] as const] : [],
    ),
  );

const answersOf = (handler: Function): [status: string, answer: { readonly type?: Type }][] =>
  Object.entries((Reflect.getMetadata(keys.answers, handler) ?? {}) as Record<string, { readonly type?: Type }>);
