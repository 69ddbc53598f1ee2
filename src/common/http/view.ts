import type { Type } from '@nestjs/common';
import { ApiProperty, PartialType, type ApiPropertyOptions } from '@nestjs/swagger';
import type { Relation } from '../access/policy.js';

const VIEW_FIELDS = Symbol('view fields');

interface ViewField {
  readonly name: string;
  readonly view?: () => Type;
  /** The schema of a field without a view. */
  readonly plain?: unknown;
  readonly readableBy?: readonly Relation[];
}

/**
 * A plain field: its OpenAPI schema, and `nullable` when the value may be null. A nested field: the view and `many`.
 * With `readableBy` the field leaves for those relations only: see `serialize()` (ASVS v5.0.0-8.2.3).
 */
export type ViewFieldOptions = (ApiPropertyOptions | NestedField) & { readonly readableBy?: readonly Relation[] };

interface NestedField {
  readonly view: () => Type;
  readonly many?: boolean;
  readonly nullable?: boolean;
  readonly description?: string;
}

/** Declares a field of an answer. What is not declared on the view never leaves the service (ASVS v5.0.0-15.3.1). */
export function ViewField({ readableBy, ...options }: ViewFieldOptions): PropertyDecorator {
  return (target, property) => {
    const nested = 'view' in options ? options : undefined;
    ApiProperty(nested ? schemaOf(nested) : options)(target, property);
    if (readableBy !== undefined)
      ApiProperty({ required: false, description: `Only for: ${readableBy.join(', ')}.` })(target, property);
    const field = { name: String(property), view: nested?.view, plain: nested ? undefined : options, readableBy };
    Reflect.defineMetadata(VIEW_FIELDS, [...fieldsOf(target), field], target);
  };
}

/** Inherited ones too. */
const fieldsOf = (target: object): readonly ViewField[] =>
  (Reflect.getMetadata(VIEW_FIELDS, target) as ViewField[] | undefined) ?? [];

/** The same view as an answer of which some fields may be left out, because the caller named those that are wanted. */
export function PartOf<V>(view: Type<V>): Type<Partial<V>> {
  const part = PartialType(view);
  Reflect.defineMetadata(VIEW_FIELDS, fieldsOf(view.prototype as object), part.prototype as object);
  return part;
}

const CONTEXT = Symbol('view context');

/** How an object is looked at: by somebody of that relation, who asked for those fields, or for all of them. */
export interface ViewContext {
  readonly relation?: Relation;
  readonly fields?: readonly string[];
}

/**
 * Marks what a handler answers with, and hides the fields with `readableBy` from whoever has not that relation, or
 * none: here already, so that no other layer has to be there for it.
 */
export function serialize<T extends object>(view: Type<Partial<T>>, context: ViewContext, value: T): T {
  const hidden = fieldsOf(view.prototype as object).filter(({ readableBy }) => !mayRead(readableBy, context.relation));
  return { ...value, ...Object.fromEntries(hidden.map(({ name }) => [name, undefined])), [CONTEXT]: context };
}

/**
 * @nestjs/swagger takes a function for a class to come only when it is called `type`; any other it takes for a class
 * without fields.
 */
const schemaOf = ({ view, many = false, nullable, description }: NestedField) => ({
  type: () => view(),
  isArray: many,
  nullable,
  description,
});

const scalars: readonly unknown[] = ['string', 'number', 'integer', 'boolean'];

/** A plain field is copied as it is, so it has to be a scalar or a list of scalars. */
function isPlain(schema: unknown): boolean {
  const { type, items } = schema as { type?: unknown; items?: unknown };
  return type === 'array' ? items !== undefined && isPlain(items) : scalars.includes(type);
}

/** The names of the declared fields; with a relation, of those that it may read. */
export const fieldNamesOf = (view: Type, relation?: Relation): readonly string[] =>
  fieldsOf(view.prototype as object)
    .filter(({ readableBy }) => relation === undefined || mayRead(readableBy, relation))
    .map(({ name }) => name);

const mayRead = (readableBy: readonly Relation[] | undefined, relation: Relation | undefined): boolean =>
  readableBy === undefined || (relation !== undefined && readableBy.includes(relation));

/** Copies the declared fields of a value, and nothing else. */
export type Shape = (value: unknown) => unknown;

const shapes = new Map<Type, Shape>();

/**
 * The function that reduces a value to a view, made once per class. Lists are reduced item by item; `null` stays
 * `null`.
 * @throws TypeError for a class without `@ViewField()`, or with a plain field that may hold objects: what is in them
 * would leave
 *   undeclared.
 */
export function shapeOf(view: Type): Shape {
  const known = shapes.get(view);
  if (known !== undefined) return known;
  const fields = fieldsOf(view.prototype as object);
  if (fields.length === 0) throw new TypeError(`${view.name} declares no @ViewField(), so nothing of it may leave`);
  const open = fields.find(({ view: nested, plain }) => nested === undefined && !isPlain(plain));
  if (open !== undefined)
    throw new TypeError(`${view.name}.${open.name} may hold anything: give it a view, or the type of a scalar`);
  const parts: Part[] = [];
  const shape: Shape = (value) =>
    Array.isArray(value) ? value.map((item) => reduce(item, parts)) : reduce(value, parts);
  // Remembered before the nested views are looked at: a view may hold itself.
  shapes.set(view, shape);
  parts.push(
    ...fields.map(({ name, readableBy, view: nested }) => ({ name, readableBy, shape: nested && shapeOf(nested()) })),
  );
  return shape;
}

/**
 * The function for one field of a view, for whoever writes an answer piece by piece.
 * @throws TypeError for a field that the view does not declare, or that is not for everybody.
 */
export function fieldShapeOf(view: Type, name: string): Shape {
  const field = fieldsOf(view.prototype as object).find((one) => one.name === name);
  if (field === undefined || field.readableBy !== undefined)
    throw new TypeError(`${view.name} declares no field ${name} for everybody`);
  return field.view === undefined ? (value) => value : shapeOf(field.view());
}

interface Part extends Pick<ViewField, 'name' | 'readableBy'> {
  readonly shape: Shape | undefined;
}

function reduce(value: unknown, parts: readonly Part[]): unknown {
  if (value === null || typeof value !== 'object') return null;
  const reduced: Record<string, unknown> = {};
  const { relation, fields } = (value as { [CONTEXT]?: ViewContext })[CONTEXT] ?? {};
  for (const { name, readableBy, shape } of parts) {
    if (!mayRead(readableBy, relation) || fields?.includes(name) === false) continue;
    const field = (value as Record<string, unknown>)[name];
    reduced[name] = shape && field !== undefined ? shape(field) : field;
  }
  return reduced;
}
