import { hash } from 'node:crypto';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { signUpWithEveryRole, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import type { Answer } from '../../support/http.js';
import { inventoryWithSamples } from '../../support/inventory.js';
import { documentOf } from '../../support/open-api.js';
import { unlimited } from '../../support/unlimited.js';
import { SamplesModule } from '../../support/sample/samples.module.js';
import { EveryInput, nobody, withValue, type Route, type Schema } from './every-input.js';

// Every route, every field, values that its declared rule refuses: the document is the list of targets, so no route is
// forgotten.

let app: TestApp;
let admin: Actor;
let inputs: EveryInput;

beforeAll(async () => {
  unlimited();
  app = await startApp({ modules: [SamplesModule], instances: 1, env: { RATE_LIMIT_SCALE: '1000' } });
  admin = await signUpWithEveryRole(app);
  inputs = new EveryInput(documentOf(app), inventoryWithSamples());
});
afterAll(async () => {
  vi.restoreAllMocks();
  await app.close();
});

interface Sent {
  readonly body?: unknown;
  readonly raw?: string;
  readonly query?: string;
  readonly id?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const formType = { 'content-type': 'application/x-www-form-urlencoded' };
const asForm = (fields: unknown) => String(new URLSearchParams(fields as Record<string, string>));

function call(
  { method, path, isPublic, form }: Route,
  { body, raw, query = '', id = nobody, headers = {} }: Sent,
): Promise<Answer> {
  const target = `${path.replaceAll(/\{\w+\}/g, id)}${query}`;
  const sample = raw === undefined && form !== undefined ? asForm(inputs.sample(form)) : undefined;
  return app.request(method, target, {
    ...(isPublic ? {} : { token: admin.token }),
    body,
    raw: sample ?? raw,
    headers: { 'if-match': '"1"', ...(sample && formType), ...headers },
  });
}

/** What is wrong with the refusal; undefined when it is right. */
function fault({ status, body }: Answer, statuses: readonly number[], pointer?: string): string | undefined {
  if (!statuses.includes(status)) return `answered ${status}`;
  const pointers = ((body.errors ?? []) as { pointer: string }[]).map((one) => one.pointer);
  return pointer === undefined || pointers.some((one) => one === pointer || one.startsWith(`${pointer}/`))
    ? undefined
    : `has no pointer ${pointer}`;
}

const ajv = new Ajv2020({ strict: false });
addFormats.default(ajv);

const jsonOfAnyType = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    false,
    -0,
    2 ** 31,
    2 ** 53 + 1,
    -1,
    1.5,
    [],
    {},
    [null],
    [['a']],
    '',
    ' ',
    'null',
    '\u0000',
    '\u202ea',
    '\ufeff',
    { $ne: null },
    { toString: 'a' },
  ),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.array(fc.string(), { maxLength: 3 }),
  fc.dictionary(fc.constantFrom('a', 'b', 'length', '0'), fc.string(), { maxKeys: 3 }),
);

/** What the service makes of a text before it looks at it. */
const cleaned = (value: unknown) => (typeof value === 'string' ? value.normalize('NFC').trim() : value);

/** The values that the schema refuses, written in whatever way. Items that a list may drop are no wrong value. */
function wrongFor(schema: Schema): fc.Arbitrary<unknown> {
  const isRight = ajv.compile(schema);
  return jsonOfAnyType.filter(
    (value) => !isRight(value) && !isRight(cleaned(value)) && !(schema.type === 'array' && Array.isArray(value)),
  );
}

/** A digest of every table but the trail, which refusals are written to. */
async function stored(): Promise<Record<string, string>> {
  // A mail that is on its way leaves its table.
  await app.mailQuiet();
  const names = await app.sql<{ name: string }>(
    `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' AND tablename NOT LIKE 'audit%' ORDER BY 1`,
  );
  const digests: Record<string, string> = {};
  for (const { name } of names) {
    const rows = await app.sql(`SELECT t::text FROM "${name}" t ORDER BY 1`);
    digests[name] = hash('sha256', JSON.stringify(rows));
  }
  return digests;
}

const writes = () => inputs.routes.filter(({ method }) => method !== 'GET');

describe('validation: every route refuses what its document refuses [practice 3.1] [ASVS 2.2.1] [ASVS 2.2.2]', () => {
  it('another type in every field of every body: 422 with its pointer [A3-2] [ASVS 15.3.5] [ASVS 1.4.2]', async () => {
    const before = await stored();
    const attacked: string[] = [];
    for (const route of inputs.routes.filter(({ body }) => body !== undefined)) {
      const valid = inputs.sample(route.body ?? {});
      for (const { path, schema } of inputs.fieldsOf(route.body ?? {})) {
        const pointer = `/${path.join('/')}`;
        attacked.push(`${route.method} ${route.path} ${pointer}`);
        await fc.assert(
          fc.asyncProperty(wrongFor(schema), async (value) => {
            const found = fault(await call(route, { body: withValue(valid, path, value) }), [422, 400], pointer);
            if (found !== undefined) throw new Error(`${attacked.at(-1)} with ${JSON.stringify(value)} ${found}`);
          }),
          { numRuns: 12 },
        );
      }
    }
    const forms = ['title', 'rank', 'place', 'place/room', 'place/shelf'].map((name) => `POST /v1/samples /${name}`);
    expect(attacked).toEqual(expect.arrayContaining(forms));
    expect(await stored()).toEqual(before);
  });

  it('another form in every parameter, header and id: 400 [A1-8] [A4-2] [ASVS 1.4.2]', async () => {
    const wrong = [
      '',
      '%20',
      '-1',
      '-0',
      '1.5',
      '1e400',
      '1e9',
      '0x10',
      '2147483648',
      '9007199254740993',
      'null',
      '[]',
      '{}',
      '%00',
      '%E2%80%AE',
      '%27%20OR%201%3D1',
      'x'.repeat(300),
    ];
    const [attacked, faults] = [[] as string[], [] as string[]];
    for (const route of inputs.routes) {
      for (const { name, in: place, schema } of route.parameters.filter((one) => !one.name.startsWith('If-'))) {
        const isRight = ajv.compile(schema.type === 'integer' ? { not: {} } : schema);
        for (const value of wrong.filter((one) => !isRight(cleaned(decodeURIComponent(one))))) {
          const sent = {
            query: { query: `?${name}=${value}` },
            path: { id: value },
            header: { headers: { [name]: value } },
          }[place];
          // An empty segment, and a NUL, are no id at all to the router and to the listener.
          const isRefusedEarlier = (place === 'path' && /^$|x{300}/.test(value)) || value === '%00';
          const found = fault(
            await call(route, { body: route.body && inputs.sample(route.body), ...sent }),
            isRefusedEarlier ? [400, 404, 405, 414] : [400],
            isRefusedEarlier ? undefined : `${place}:${name}`,
          );
          if (found !== undefined) faults.push(`${route.method} ${route.path} ${place}:${name}=${value} ${found}`);
        }
        attacked.push(`${route.method} ${route.path} ${place}:${name}`);
      }
    }
    expect(faults).toEqual([]);
    expect(attacked).toEqual(expect.arrayContaining(['GET /v1/samples query:limit', 'PATCH /v1/samples/{id} path:id']));
  });

  it.each([
    '"2147483648"',
    '"9007199254740993"',
    '"-1"',
    '"-0"',
    '"1e400"',
    '"1.5"',
    '""',
    '1',
    'W/"x"',
    '"0x1"',
    '"1-"',
    '"1-A"',
    '"1-a-b"',
    '"-a"',
    '"2147483648-a"',
  ])('If-Match: %s is no version that was given: 412, or 404 for what is not there [ASVS 1.4.2]', async (tag) => {
    const routes = inputs.routes.filter(({ parameters }) => parameters.some(({ name }) => name === 'If-Match'));
    expect(routes.length).toBeGreaterThan(1);
    for (const route of routes) {
      const { status } = await call(route, {
        body: route.body && inputs.sample(route.body),
        headers: { 'if-match': tag },
      });
      expect([412, 404]).toContain(status);
    }
  });

  it('If-Match: several versions: 400, for a change is based on one [ASVS 1.4.2]', async () => {
    for (const route of inputs.routes.filter(({ parameters }) => parameters.some(({ name }) => name === 'If-Match'))) {
      const { status } = await call(route, {
        body: route.body && inputs.sample(route.body),
        headers: { 'if-match': '"1", "2"' },
      });
      expect([route.path, status]).toEqual([route.path, 400]);
    }
  });
});

const stuffed = [
  'role',
  'roles',
  'isAdmin',
  'admin',
  'ownerId',
  'id',
  'userId',
  'createdAt',
  'updatedAt',
  'emailVerified',
  'version',
  'deletedAt',
  'mfaEnabled',
  'sessions',
  'connect',
  'create',
  'data',
  'include',
  '$set',
];

describe('validation: mass assignment and pollution, on every route that writes [API3] [practice 2.4]', () => {
  it.each(stuffed)(
    'adds the field %s to a right body, or to a route without one: 400 [A3-1] [ASVS 15.3.3]',
    async (name) => {
      const before = await stored();
      const faults = [];
      for (const route of writes()) {
        const valid = (route.body === undefined ? {} : inputs.sample(route.body)) as Record<string, unknown>;
        if (name in (inputs.resolve(route.body ?? {}).properties ?? {})) continue;
        const found = fault(
          await call(route, { body: { ...valid, [name]: { role: 'admin' } } }),
          [400],
          route.body && `/${name}`,
        );
        if (found !== undefined) faults.push(`${route.method} ${route.path} ${found}`);
      }
      expect(faults).toEqual([]);
      expect(await stored()).toEqual(before);
    },
  );

  const parserTricks: readonly (readonly [string, string])[] = [
    ['__proto__', '"__proto__":{"polluted":true}'],
    ['__proto__ with escapes', String.raw`"__proto\u005f_":{"polluted":true}`],
    ['constructor.prototype', '"constructor":{"prototype":{"polluted":true}}'],
    ['a nested __proto__', '"nested":{"__proto__":{"polluted":true}}'],
    ['one key twice', '"same":1,"same":2'],
    ['half a surrogate pair', String.raw`"half":"\ud800"`],
    ['1e400', '"number":1e400'],
    ['33 levels', `"deep":${'['.repeat(33)}${']'.repeat(33)}`],
    ['1,001 keys', Array.from({ length: 1001 }, (_, at) => `"k${at}":1`).join(',')],
  ];

  it.each(parserTricks)(
    'sends %s: 400 on every route, and Object.prototype is as it was [A3-6] [ASVS 15.3.6] [ASVS 1.5.3]',
    async (_, members) => {
      const prototype = Object.getOwnPropertyNames(Object.prototype);
      const faults = [];
      for (const route of writes()) {
        const { status, body } = await call(route, { raw: `{${members}}` });
        // By the parser, before anybody has looked for fields.
        const byParser = status === 400 && body.errors === undefined && body.detail !== 'This route takes no body.';
        if (!byParser) faults.push(`${route.method} ${route.path} answered ${status} ${body.detail}`);
      }
      expect(faults).toEqual([]);
      expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(prototype);
      expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    },
  );

  it.each([
    '__proto__[polluted]=1',
    '__proto__.polluted=1',
    '__proto__=1',
    'constructor[prototype][polluted]=1',
    'constructor=1',
    'toString=1',
    'id=1',
    'role=admin',
  ])(
    'asks every route with ?%s: 400, and Object.prototype is as it was [A3-6] [ASVS 15.3.6] [ASVS 15.3.7]',
    async (query) => {
      const prototype = Object.getOwnPropertyNames(Object.prototype);
      const faults = [];
      for (const route of inputs.routes) {
        const found = fault(
          await call(route, { query: `?${query}`, body: route.body && inputs.sample(route.body) }),
          [400],
        );
        if (found !== undefined) faults.push(`${route.method} ${route.path} ${found}`);
      }
      expect(faults).toEqual([]);
      expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(prototype);
    },
  );

  it('asks with each parameter twice, with brackets, as a path: 400 [A1-8] [ASVS 15.3.7]', async () => {
    const faults = [];
    for (const route of inputs.routes) {
      for (const { name } of route.parameters.filter((one) => one.in === 'query')) {
        for (const query of [`${name}=1&${name}=1`, `${name}[]=1`, `${name}[0]=1`, `${name}.a=1`, `${name}%5B%5D=1`]) {
          const found = fault(await call(route, { query: `?${query}` }), [400]);
          if (found !== undefined) faults.push(`${route.method} ${route.path}?${query} ${found}`);
        }
      }
    }
    expect(faults).toEqual([]);
  });
});
