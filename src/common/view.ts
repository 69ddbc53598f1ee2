import type { Type } from '@nestjs/common';
import { ApiProperty, type ApiPropertyOptions } from '@nestjs/swagger';

const VIEW_FIELDS = Symbol('view fields');

interface ViewField {
  readonly name: string;
  readonly view?: () => Type;
  /** The schema of a field without a view. */
  readonly plain?: unknown;
}

/** A plain field: its OpenAPI schema, and `nullable` when the value may be null. A nested field: the view and `many`. */
export type ViewFieldOptions = ApiPropertyOptions | NestedField;

interface NestedField {
  readonly view: () => Type;
  readonly many?: boolean;
  readonly nullable?: boolean;
  readonly description?: string;
}

/** Declares a field of an answer. What is not declared on the view never leaves the service (ASVS v5.0.0-15.3.1). */
export function ViewField(options: ViewFieldOptions): PropertyDecorator {
  return (target, property) => {
    const nested = 'view' in options ? options : undefined;
    ApiProperty(nested ? schemaOf(nested) : options)(target, property);
    const inherited = (Reflect.getMetadata(VIEW_FIELDS, target) as ViewField[] | undefined) ?? [];
    Reflect.defineMetadata(VIEW_FIELDS, [...inherited, { name: String(property), view: nested?.view, plain: nested ? undefined : options }], target);
  };
}

/** @nestjs/swagger takes a function for a class to come only when it is called `type`; any other it takes for a class without fields. */
const schemaOf = ({ view, many = false, nullable, description }: NestedField) => ({ type: () => view(), isArray: many, nullable, description });

const scalars: readonly unknown[] = ['string', 'number', 'integer', 'boolean'];

/** A plain field is copied as it is, so it has to be a scalar or a list of scalars. */
function isPlain(schema: unknown): boolean {
  const { type, items } = schema as { type?: unknown; items?: unknown };
  return type === 'array' ? items !== undefined && isPlain(items) : scalars.includes(type);
}

/** The names of the declared fields. */
export const fieldNamesOf = (view: Type): readonly string[] =>
  ((Reflect.getMetadata(VIEW_FIELDS, view.prototype as object) as ViewField[] | undefined) ?? []).map(({ name }) => name);

/** Copies the declared fields of a value, and nothing else. */
export type Shape = (value: unknown) => unknown;

const shapes = new Map<Type, Shape>();

/**
 * The function that reduces a value to a view, made once per class. Lists are reduced item by item; `null` stays `null`.
 * @throws TypeError for a class without `@ViewField()`, or with a plain field that may hold objects: what is in them would leave
 *   undeclared.
 */
export function shapeOf(view: Type): Shape {
  const known = shapes.get(view);
  if (known !== undefined) return known;
  const fields = Reflect.getMetadata(VIEW_FIELDS, view.prototype as object) as ViewField[] | undefined;
  if (fields === undefined) throw new TypeError(`${view.name} declares no @ViewField(), so nothing of it may leave`);
  const open = fields.find(({ view: nested, plain }) => nested === undefined && !isPlain(plain));
  if (open !== undefined) throw new TypeError(`${view.name}.${open.name} may hold anything: give it a view, or the type of a scalar`);
  const shape: Shape = (value) => (Array.isArray(value) ? value.map(pick) : pick(value));
  shapes.set(view, shape);
  const parts = fields.map(({ name, view: nested }) => ({ name, reduce: nested && shapeOf(nested()) }));
  const pick = (value: unknown): unknown => {
    if (value === null || typeof value !== 'object') return null;
    const picked: Record<string, unknown> = {};
    for (const { name, reduce } of parts) {
      const field = (value as Record<string, unknown>)[name];
      picked[name] = reduce && field !== undefined ? reduce(field) : field;
    }
    return picked;
  };
  return shape;
}
