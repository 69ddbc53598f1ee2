import type { OpenAPIObject } from '@nestjs/swagger';
import type { InventoryRow } from '../../../src/inventory/inventory.js';

// The inputs of every route, as its handler declares them: what is added tomorrow is attacked tomorrow.

export interface Schema {
  readonly $ref?: string;
  readonly allOf?: readonly Schema[];
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly pattern?: string;
  readonly enum?: readonly unknown[];
  readonly example?: unknown;
  readonly minLength?: number;
  readonly minimum?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly additionalProperties?: boolean;
}

export interface Parameter {
  readonly name: string;
  readonly in: 'query' | 'path' | 'header';
  readonly required?: boolean;
  readonly schema: Schema;
}

interface PublishedOperation {
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
}

/** One field of a body, however deep. */
export interface Field {
  readonly path: readonly string[];
  readonly schema: Schema;
}

export interface Route {
  readonly method: string;
  readonly path: string;
  readonly isPublic: boolean;
  readonly parameters: readonly Parameter[];
  readonly body: Schema | undefined;
  /** Of a route that takes a form. */
  readonly form: Schema | undefined;
}

/** An id of the right form that nothing has: no attack below ever reaches a row. */
export const nobody = '01890000-0000-7000-8000-00000000dead';

export class EveryInput {
  readonly routes: readonly Route[];

  constructor(
    private readonly document: OpenAPIObject,
    inventory: readonly InventoryRow[],
  ) {
    const open = new Set(
      inventory.filter(({ access }) => access === 'public').map(({ method, path }) => `${method} ${path}`),
    );
    this.routes = Object.entries(document.paths).flatMap(([path, operations]) =>
      (Object.entries(operations) as [string, PublishedOperation][]).map(
        ([verb, { parameters = [], requestBody }]) => ({
          method: verb.toUpperCase(),
          path,
          isPublic: open.has(`${verb.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`),
          parameters,
          body: requestBody?.content['application/json']?.schema,
          form: requestBody?.content['application/x-www-form-urlencoded']?.schema,
        }),
      ),
    );
  }

  /** The schema itself, whatever refers to it. */
  resolve(schema: Schema): Schema {
    const [only] = schema.allOf ?? [];
    const reference = schema.$ref ?? only?.$ref;
    if (reference === undefined) return schema;
    const schemas = (this.document.components?.schemas ?? {}) as Record<string, Schema>;
    return schemas[reference.split('/').at(-1) ?? ''] ?? {};
  }

  /** Every field of a body; fields that are taken in any form are left out. */
  fieldsOf(body: Schema, parents: readonly string[] = []): Field[] {
    return Object.entries(this.resolve(body).properties ?? {}).flatMap(([name, schema]) => {
      const resolved = this.resolve(schema);
      if (resolved.additionalProperties === true) return [];
      const path = [...parents, name];
      const own = resolved.properties === undefined ? resolved : { type: 'object' };
      return [{ path, schema: own }, ...this.fieldsOf(resolved, path)];
    });
  }

  /** A body that every rule of the document lets pass. */
  sample(schema: Schema): unknown {
    const { type, properties, required = [], items, ...rules } = this.resolve(schema);
    if (properties !== undefined)
      return Object.fromEntries(required.map((name) => [name, this.sample(properties[name] ?? {})]));
    const kind = typeof type === 'string' ? type : type?.[0];
    if (kind === 'array') return items === undefined ? [] : [this.sample(items)];
    if (kind === 'boolean') return true;
    if (kind === 'integer' || kind === 'number') return rules.example ?? rules.minimum ?? 1;
    return rules.example ?? rules.enum?.[0] ?? sampleText(rules);
  }
}

function sampleText({ format, pattern, minLength = 1 }: Schema): string {
  if (format === 'uuid') return nobody;
  if (format === 'password') return 'correct horse 4711 battery';
  return (pattern?.includes('[0-9]') === true ? '1' : 'a').repeat(Math.max(minLength, 1));
}

/** The same body with another value at the place. */
export function withValue(
  body: unknown,
  [name = '', ...rest]: readonly string[],
  value: unknown,
): Record<string, unknown> {
  const object = (body ?? {}) as Record<string, unknown>;
  return { ...object, [name]: rest.length === 0 ? value : withValue(object[name], rest, value) };
}
