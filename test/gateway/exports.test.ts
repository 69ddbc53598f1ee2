import { spawnSync } from 'node:child_process';
import { beforeAll, describe, expect, it } from 'vitest';
import { apigeeFiles } from '../../scripts/gateway/apigee.js';
import { awsFiles } from '../../scripts/gateway/aws.js';
import type { Edge, EdgeLimit, EdgeRoute } from '../../scripts/gateway/edge-routes.js';
import { kongFiles } from '../../scripts/gateway/kong.js';
import { inventory } from '../../src/inventory/index.js';
import { declaredEdge } from './edge.js';

const options = { upstream: 'https://service.internal:8443', origins: ['https://app.example.org'] };
const unit = { minute: 60, hour: 3600 } as const;
const placeholder = (path: string): string => path.replaceAll(/:\w+/g, 'x1');

/** What an export says, in the same words for all: the routes it has, and whether each asks for a credential. */
interface Said {
  readonly method: string;
  readonly matches: (path: string) => boolean;
  readonly asks: boolean;
}

interface KongRoute {
  readonly name: string;
  readonly methods: readonly string[];
  readonly paths: readonly string[];
  readonly headers?: Readonly<Record<string, readonly string[]>>;
  readonly plugins: readonly { name: string; config: Readonly<Record<string, unknown>> }[];
}
interface KongService {
  readonly tls_verify: boolean;
  readonly plugins: KongRoute['plugins'];
  readonly routes: readonly KongRoute[];
}
interface Kong {
  readonly services: readonly [KongService];
  readonly routes: readonly KongRoute[];
}
// eslint-disable-next-line typescript/no-explicit-any -- templates of CloudFormation
type Template = any;

const kongOf = (edge: Edge): Kong => JSON.parse(kongFiles(edge, options)['kong.json'] ?? '') as Kong;
const awsOf = (edge: Edge): Template => JSON.parse(awsFiles(edge, options)['template.json'] ?? '');
const apigeeOf = (edge: Edge): string => apigeeFiles(edge, options)['apiproxy/proxies/default.xml'] ?? '';

const matching = (expression: string) => (path: string) => new RegExp(`^${expression}`).test(path);

const readers: Readonly<Record<string, (edge: Edge) => Said[]>> = {
  kong: (edge) =>
    kongOf(edge).services[0].routes.flatMap(({ name, methods, paths: [path = ''], headers }) =>
      name === 'preflight'
        ? []
        : [
            {
              method: methods[0] ?? '',
              matches: matching(path.slice(1)),
              asks: headers?.authorization?.[0] === '~*.+',
            },
          ],
    ),
  aws: (edge) =>
    Object.entries(awsOf(edge).Resources.Api.Properties.Body.paths as Record<string, Record<string, Template>>).flatMap(
      ([path, operations]) =>
        Object.entries(operations)
          .filter(([method]) => method !== 'options' && method !== 'head')
          .map(([method, { security }]) => ({
            method: method.toUpperCase(),
            matches: matching(`${path.replaceAll('.', String.raw`\.`).replaceAll(/\{\w+\}/g, '[^/]+')}$`),
            asks: security.length === 1 && 'credential' in security[0],
          })),
    ),
  apigee: (edge) =>
    [...apigeeOf(edge).matchAll(/<Flow name="(?!preflight)[^"]+">(.*?)<\/Flow>/gs)].flatMap(([, flow = '']) => {
      const [, method, expression] =
        /<Condition>\(request\.verb = &quot;(\w+)&quot;.*JavaRegex &quot;\^(.*)&quot;<\/Condition>\s*$/.exec(flow) ??
        [];
      const asks = flow.includes(
        '<Name>RF-unauthenticated</Name><Condition>request.header.Authorization = null</Condition>',
      );
      return method === undefined ? [] : [{ method, matches: matching(expression ?? ''), asks }];
    }),
};

describe.each(Object.entries(readers))('the export for %s [practice 9.1] [practice 9.3]', (_, read) => {
  let edge: Edge;
  beforeAll(async () => {
    edge = await declaredEdge();
  });

  it('every declared route is there once, and nothing else', () => {
    const said = read(edge);
    expect(said).toHaveLength(inventory().length);
    for (const { method, path } of inventory()) {
      const found = said.filter((one) => one.method === method && one.matches(placeholder(path)));
      expect(found.length, `${method} ${path}`).toBeGreaterThan(0);
    }
  });

  it('routes of the internal listener, and paths that only begin or end like a route, are in none', () => {
    const said = read(edge);
    const [{ path }] = edge.routes as [EdgeRoute];
    for (const other of ['/metrics', '/health/live', '/console', '/', `${path}/more`, `/more${path}`, `${path}/`])
      expect(
        said.filter(({ matches }) => matches(other)),
        other,
      ).toEqual([]);
  });

  it('a route that is not public asks for a credential, and a public one for none', () => {
    const said = read(edge);
    for (const { method, path, access } of inventory())
      for (const one of said.filter((each) => each.method === method && each.matches(placeholder(path))))
        expect(one.asks, `${method} ${path}`).toBe(access !== 'public' && !access.startsWith('signed by '));
  });
});

describe('what gateways other than nginx are told [practice 9.1]', () => {
  const limit: EdgeLimit = { name: 'export-network', requests: 5, windowSeconds: 600 };
  const routeOf = (changes: Partial<EdgeRoute>, [sample] = [] as EdgeRoute[]): EdgeRoute => ({
    ...(sample as EdgeRoute),
    method: 'POST',
    path: '/v1/x',
    segments: ['v1', 'x'],
    permission: undefined,
    limits: [],
    ...changes,
  });
  let edge: Edge;
  beforeAll(async () => {
    edge = await declaredEdge();
  });

  it.each([['kong', kongFiles] as const, ['aws', awsFiles] as const, ['apigee', apigeeFiles] as const])(
    '%s: a public route on the path of one that is not is refused, instead of being left open',
    (_, files) => {
      const open = routeOf({}, [...edge.routes]);
      const closed = routeOf({ path: '/v1/:id', segments: ['v1', undefined], permission: 'x:read' }, [...edge.routes]);
      expect(() => files({ ...edge, routes: [open, closed] }, options)).toThrow(
        /^POST \/v1\/x: .*\/v1\/:id.* give it a path of its own$/,
      );
    },
  );

  it('Kong: no limit is below that of the service, also between two windows, and each route has its own', () => {
    const [service] = kongOf(edge).services;
    expect(service.routes).toHaveLength(edge.routes.length + 1);
    for (const [index, { limits, path }] of edge.routes.entries()) {
      const own = service.routes[index]?.plugins.find(({ name }) => name === 'rate-limiting');
      expect(own !== undefined, path).toBe(limits.length > 0);
      for (const { requests, windowSeconds } of limits) {
        const [name, seconds] = Object.entries(unit).find(([, length]) => length >= windowSeconds) ?? ['', 0];
        expect(own?.config[name], path).toBe(requests * (Math.ceil(seconds / windowSeconds) + 1));
      }
      // Kong's own schema refuses the whole file otherwise.
      const { minute = 0, hour = Infinity } = own?.config ?? {};
      expect(Number(minute), path).toBeLessThanOrEqual(Number(hour));
    }
  });

  it('Kong: it reads no other fields, asks for the certificate of the service, and answers 401 in its stead', () => {
    const { services, routes } = kongOf(edge);
    expect(services[0].tls_verify).toBe(true);
    const fields = 'headers methods name paths plugins preserve_host protocols regex_priority strip_path'.split(' ');
    for (const route of [...services[0].routes, ...routes])
      expect(fields).toEqual(expect.arrayContaining(Object.keys(route)));
    const refusing = routes.filter(({ name }) => name.startsWith('unauthenticated-'));
    for (const { method, path, permission } of edge.routes) {
      const found = refusing.filter(
        ({ methods, paths }) =>
          methods.includes(method) && paths.some((one) => matching(one.slice(1))(placeholder(path))),
      );
      expect(found.map(({ plugins }) => plugins[0]?.config.status_code)).toEqual(permission === undefined ? [] : [401]);
    }
  });

  it('Kong: a window that it has no unit for is refused with the limit and the fix', () => {
    const routes = [routeOf({ limits: [{ ...limit, windowSeconds: 7200 }] }, [...edge.routes])];
    expect(() => kongOf({ ...edge, routes })).toThrow(/^export-network: .* shorten it$/);
  });

  it('AWS: a limit of a window that it does not know, and one that is too small for it', () => {
    const routes = [routeOf({ limits: [limit] }, [...edge.routes])];
    const { Rules } = awsOf({ ...edge, routes }).Resources.Limits.Properties;
    expect(Rules[0].Statement.RateBasedStatement).toMatchObject({ Limit: 2400, EvaluationWindowSec: 60 });
    expect(Rules[1].Statement.RateBasedStatement).toMatchObject({ Limit: 10, EvaluationWindowSec: 600 });
    expect(JSON.stringify(Rules[1])).toContain(String.raw`^(?:/live)?/v1/x$`);
  });

  it('AWS: of several origins its own answers could name one, so they are refused', () => {
    const origins = ['https://a.example.org', 'https://b.example.org'];
    expect(() => awsFiles(edge, { ...options, origins })).toThrow(/say one/);
  });

  it('Apigee: each step has its policy, each policy its step, and what no route has ends in 404', () => {
    const files = apigeeFiles(edge, options);
    const steps = [...apigeeOf(edge).matchAll(/<Step><Name>([^<]+)<\/Name>/g)].map(([, name]) => name);
    const policies = Object.keys(files).flatMap((path) => /policies\/(.+)\.xml$/.exec(path)?.[1] ?? []);
    expect(new Set(steps)).toEqual(new Set(policies));
    const last = apigeeOf(edge).slice(apigeeOf(edge).lastIndexOf('<Flow '));
    expect(last).toMatch(/<Name>RF-not-found<\/Name><\/Step><\/Request>\s*<Response\/>\s*<\/Flow>/);
  });

  it('Apigee: names of routes are unique, and markup in a value stays text', () => {
    const names = [...apigeeOf(edge).matchAll(/<Flow name="([^"]+)"/g)].map(([, name]) => name);
    expect(new Set(names).size).toBe(names.length);
    const files = apigeeFiles({ ...edge, headers: { 'x-test': '<b>&' } }, options);
    expect(files['apiproxy/policies/RF-not-found.xml']).toContain('<Header name="x-test">&lt;b&gt;&amp;</Header>');
  });

  it.each([
    ['no folder', ['kong', '--upstream', options.upstream]],
    ['no address of the service', ['kong', '--into', '/nowhere']],
    ['an address without TLS', ['aws', '--into', '/nowhere', '--upstream', 'http://service']],
    ['an origin that is a pattern', ['kong', '--into', '/nowhere', '--upstream', options.upstream, '--origin', '.*']],
    ['a gateway that nobody knows', ['constructor', '--into', '/nowhere', '--upstream', options.upstream]],
    ['an option that nobody knows', ['kong', '--open']],
  ])('%s: the help, and nothing is written', (_, args) => {
    const { status, stderr } = spawnSync(process.execPath, ['scripts/gateway.ts', 'export', ...args], {
      encoding: 'utf8',
    });
    expect([status, stderr]).toEqual([2, expect.stringContaining('npm run gateway:export kong|aws|apigee')]);
  });
});
