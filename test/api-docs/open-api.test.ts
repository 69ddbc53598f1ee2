import { Body, Controller, Post, type Type } from '@nestjs/common';
import { ApiCreatedResponse } from '@nestjs/swagger';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiDocsModule } from '../../src/api-docs/index.js';
import { OpenApi } from '../../src/api-docs/open-api.js';
import { ViewField, type ViewFieldOptions } from '../../src/common/http/view.js';
import { startSmallApp } from '../security/small-app.js';
import { startApp, type TestApp } from '../support/app.js';
import { SamplesModule } from '../support/sample/samples.module.js';

interface Published {
  readonly operationId: string;
  readonly security: readonly unknown[];
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
    readonly schema: object;
  }[];
  readonly requestBody?: {
    readonly content: Readonly<Record<string, { readonly schema: { readonly $ref?: string } }>>;
  };
  readonly responses: Readonly<
    Record<
      string,
      { readonly $ref?: string; readonly description?: string; readonly headers?: Readonly<Record<string, unknown>> }
    >
  >;
}

let app: TestApp;
// eslint-disable-next-line typescript/no-explicit-any -- the whole document, looked at from many sides
let document: any;
let operations: [path: string, verb: string, operation: Published][];

beforeAll(async () => {
  app = await startApp({ modules: [SamplesModule], instances: 1 });
  document = (await app.request('GET', '/openapi.json')).body;
  operations = Object.entries(document.paths as Record<string, Record<string, Published>>).flatMap(([path, one]) =>
    Object.entries(one).map(([verb, operation]) => [path, verb, operation] as [string, string, Published]),
  );
});
afterAll(() => app.close());

const at = (reference: string): unknown =>
  reference
    .slice(2)
    .split('/')
    .reduce((node, key) => node?.[key], document);
const operation = (path: string, verb: string): Published => document.paths[path][verb];
const typesOf = (path: string, verb: string, status: number): string[] => {
  const response = at(operation(path, verb).responses[status]?.$ref ?? '') as
    | { content: Record<string, { schema: { allOf: { properties: { type: { enum: string[] } } }[] } }> }
    | undefined;
  return response?.content['application/problem+json']?.schema.allOf[1]?.properties.type.enum ?? [];
};

describe('The OpenAPI document is one (OpenAPI 3.1) [practice 3.2] [ASVS 4.1.1]', () => {
  it('every reference leads somewhere', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"(#\/[^"]+)"/g)].map(
      ([, reference = '']) => reference,
    );
    expect(references.length).toBeGreaterThan(100);
    expect(references.filter((reference) => at(reference) === undefined)).toEqual([]);
  });

  it('has its version, its title, and an id for each operation that no other has', () => {
    expect(document).toMatchObject({
      openapi: expect.stringMatching(/^3\.1\.\d$/),
      info: { title: expect.any(String), version: expect.any(String) },
    });
    const ids = operations.map(([, , { operationId }]) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('declares each parameter of each path once, required, with a schema, and no other', () => {
    const faults = operations.filter(([path, , { parameters = [] }]) => {
      const declared = parameters
        .filter((one) => one.in === 'path' && one.required === true && Object.keys(one.schema).length > 0)
        .map(({ name }) => name);
      return (
        JSON.stringify(declared.toSorted()) !==
        JSON.stringify([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).toSorted())
      );
    });
    expect(faults).toEqual([]);
  });

  it('uses the words of JSON Schema 2020-12: no `nullable`, and component names of the allowed form', () => {
    expect(JSON.stringify(document)).not.toMatch(/"nullable":|"exclusiveM\w+":(true|false)/);
    const names = Object.values(document.components as Record<string, object>).flatMap((one) => Object.keys(one));
    expect(names.filter((name) => !/^[\w.-]+$/.test(name))).toEqual([]);
  });

  it('describes every response, and no object is open to fields that it does not name', () => {
    const responses = [
      ...operations.flatMap(([, , one]) => Object.values(one.responses)),
      ...Object.values(document.components.responses as Published['responses']),
    ];
    expect(responses.filter(({ $ref, description }) => $ref === undefined && description === undefined)).toEqual([]);
    const open = Object.entries(
      document.components.schemas as Record<string, { additionalProperties?: unknown }>,
    ).filter(([, schema]) => schema.additionalProperties !== false);
    expect(open).toEqual([]);
  });
});

describe('Two classes of one name, of which @nestjs/swagger would publish the last for both', () => {
  const viewCalled = (name: string, field: ViewFieldOptions): Type => {
    class View {
      @ViewField(field)
      field: unknown;
    }
    return Object.defineProperty(View, 'name', { value: name });
  };
  const taking = (path: string, input: Type, view: Type): Type => {
    @Controller(path)
    class Things {
      @Post()
      @ApiCreatedResponse({ type: view })
      create(@Body() body: unknown) {
        return body;
      }
    }
    Reflect.defineMetadata('design:paramtypes', [input], Things.prototype, 'create');
    return Things;
  };
  const inner = (type: 'string' | 'integer') => viewCalled('InnerView', { type });
  const outer = (name: string, view: Type) => viewCalled(name, { view: () => view, many: true });
  const [Inner, One, Other] = [
    inner('string'),
    viewCalled('One', { type: 'string' }),
    viewCalled('Other', { type: 'string' }),
  ];

  const documentOf = async (...controllers: Type[]) => {
    const small = await startSmallApp({ modules: [ApiDocsModule], controllers });
    try {
      return small.nest.get(OpenApi, { strict: false }).create();
    } finally {
      await small.close();
    }
  };

  it.each([
    ['views', taking('a', One, outer('SameView', Inner)), taking('b', Other, outer('SameView', Inner)), 'SameView'],
    [
      'views inside of views',
      taking('a', One, outer('OneView', Inner)),
      taking('b', Other, outer('OtherView', inner('integer'))),
      'InnerView',
    ],
    [
      'inputs',
      taking('a', viewCalled('CreateThing', { type: 'string' }), Inner),
      taking('b', viewCalled('CreateThing', { type: 'integer' }), Inner),
      'CreateThing',
    ],
  ])('%s: there is no document, and the name is said', async (_, first, second, name) => {
    await expect(documentOf(first, second)).rejects.toThrow(`several inputs or views are called ${name}: give`);
  });

  it('one class in two places is one', async () => {
    const { paths } = await documentOf(
      taking('a', One, outer('OneView', Inner)),
      taking('b', One, outer('OtherView', Inner)),
    );
    expect(Object.keys(paths)).toEqual(expect.arrayContaining(['/a', '/b']));
  });
});

describe('The OpenAPI document says what each operation can answer, and no more', () => {
  it('every operation names one success and its refusals by status; there is no `default`', () => {
    for (const [path, verb, { responses }] of operations) {
      const statuses = Object.keys(responses);
      expect({ path, verb, wrong: statuses.filter((status) => !/^[2-5]\d\d$/.test(status)) }).toEqual({
        path,
        verb,
        wrong: [],
      });
      expect(statuses).toEqual(
        expect.arrayContaining(['400', '401', '408', '414', '415', '421', '429', '431', '500', '503']),
      );
      expect(statuses.filter((status) => /^2|^303$/.test(status))).toHaveLength(1);
    }
  });

  it('a permission brings 403, a step-up its own 401, an id 404, a body 413 and 422, a version 412 and 428', () => {
    expect(typesOf('/v1/auth/password/change', 'post', 401)).toEqual([
      '/problems/second-factor-required',
      '/problems/step-up-required',
      '/problems/unauthenticated',
    ]);
    expect(typesOf('/v1/auth/logout', 'post', 401)).toEqual(['/problems/unauthenticated']);
    expect(typesOf('/v1/samples', 'get', 403)).toContain('/problems/forbidden');
    expect(typesOf('/.well-known/jwks.json', 'get', 403)).not.toContain('/problems/forbidden');
    expect(Object.keys(operation('/v1/samples/{id}', 'patch').responses)).toEqual(
      expect.arrayContaining(['403', '404', '412', '413', '422', '428']),
    );
    const jwks = Object.keys(operation('/.well-known/jwks.json', 'get').responses);
    expect(jwks.filter((status) => ['404', '409', '412', '413', '422', '428'].includes(status))).toEqual([]);
  });

  it('@Refuses adds what only the handler knows', () => {
    expect(typesOf('/v1/users/me', 'delete', 409)).toEqual(['/problems/conflict']);
    expect(operation('/v1/auth/sessions', 'get').responses).not.toHaveProperty('409');
  });

  it('which operations need a token is what @Can and @Public say [ASVS 8.2.1]', () => {
    expect(operation('/v1/auth/login', 'post').security).toEqual([]);
    expect(operation('/v1/users/me', 'get').security).toEqual([{ bearer: [] }]);
  });

  it('names the header fields that tell a client what to do next', () => {
    const headers = (name: string) =>
      Object.keys((at(`#/components/responses/${name}`) as Published['responses'][string]).headers ?? {});
    expect(headers('too-many-requests')).toEqual(expect.arrayContaining(['Retry-After', 'RateLimit', 'X-Request-Id']));
    expect(headers('unauthenticated')).toContain('WWW-Authenticate');
    const created = operation('/v1/samples', 'post').responses[201];
    expect(Object.keys(created?.headers ?? {})).toEqual(expect.arrayContaining(['ETag', 'Location']));
  });
});
