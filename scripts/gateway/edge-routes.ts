// What a gateway may know of each route, in the words of no product: the exporters make their configuration of it.
import type { Limit, RateLimits } from '../../src/common/http/rate-limit.js';
import type { InventoryRow } from '../../src/inventory/inventory.js';

/** So many requests of one network (IPv4 address, IPv6 /64) in a window. */
export interface EdgeLimit {
  readonly name: string;
  readonly requests: number;
  readonly windowSeconds: number;
}

export interface EdgeRoute {
  /** `GET` stands for HEAD too; OPTIONS is answered on every path. */
  readonly method: string;
  /** Segments, each a text or undefined for any one. */
  readonly segments: readonly (string | undefined)[];
  /** As it was declared: `/v1/resources/:id`. */
  readonly path: string;
  /** `undefined`: whoever comes without a credential is answered; otherwise what the caller must hold. */
  readonly permission: string | undefined;
  readonly callers: readonly Caller[];
  /** What the service counts per network on this route beside what it counts everywhere. */
  readonly limits: readonly EdgeLimit[];
  /** 0: a request with a body is refused. */
  readonly maxBodyBytes: number;
  /** Sent twice it does what it does once, so a gateway may try another instance (RFC 9110 section 9.2.2). */
  readonly isIdempotent: boolean;
  /** A cache that several callers share may keep the answer. */
  readonly isShareable: boolean;
}

type Caller = 'guest' | 'person' | 'machine';

export interface Edge {
  readonly routes: readonly EdgeRoute[];
  /** Counted for every request. */
  readonly everywhere: EdgeLimit;
  readonly headers: Readonly<Record<string, string>>;
  readonly problems: readonly EdgeProblem[];
}

/** What the gateway itself answers, in the service's own words. */
export interface EdgeProblem {
  readonly name: string;
  readonly status: number;
  readonly title: string;
}

const callers: Readonly<Record<string, readonly Caller[]>> = {
  'anybody': ['guest', 'person', 'machine'],
  'anybody without a credential, people': ['guest', 'person'],
  'anybody without a credential, machines': ['guest', 'machine'],
  'whoever has the secret': ['guest'],
  'people': ['person'],
  'machines': ['machine'],
  'people, machines': ['person', 'machine'],
};
const methods = new Set(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']);
const repeatable = new Set(['GET', 'PUT', 'DELETE']);
const permission = /^[a-z-]+:[a-z-]+$/;

interface Source {
  readonly rows: readonly InventoryRow[];
  readonly limitsOf: (row: InventoryRow) => RateLimits;
  readonly maxBodyBytes: number;
  /** RATE_LIMIT_SCALE of the service. */
  readonly scale?: number;
}

/**
 * @throws Error for a route that no gateway could be told of without being told something else: its name and the fix.
 * To leave it out would close it, to guess could leave it open.
 */
export function edgeRoutes({ rows, limitsOf, maxBodyBytes, scale = 1 }: Source): EdgeRoute[] {
  return rows.map((row) => {
    const { method, path, access, cache } = row;
    const fail = (fix: string): never => {
      throw new Error(`${method} ${path}: ${fix}`);
    };
    if (!methods.has(method)) fail(`no gateway can be told its method: declare one of ${[...methods].join(', ')}`);
    const known = callers[row.callers] ?? fail(`its callers (${row.callers}) are not known here: add them to callers`);
    // A signature over the bytes is verified by the service: to a gateway the route is one without a credential.
    const isPublic = access === 'public' || access.startsWith('signed by ');
    if (isPublic !== known.includes('guest')) fail(`its access (${access}) and its callers contradict each other`);
    if (!isPublic && !permission.test(access))
      fail(`its access (${access}) is neither public nor a permission: declare @Public() or @Can(...)`);
    const isShareable = /\bpublic\b|\bs-maxage\b/.test(cache);
    if (isShareable && !isPublic) fail('its answers are private, and its cache-control shares them: say no-store');
    return {
      method,
      path,
      segments: segmentsOf(path) ?? fail('no gateway can be told its path: use whole segments, without * or patterns'),
      permission: isPublic ? undefined : access,
      callers: known,
      limits: limitsOf(row)
        .limits.filter(isPerNetwork)
        .map((limit) => scaled(limit, scale)),
      maxBodyBytes: method === 'GET' ? 0 : maxBodyBytes,
      isIdempotent: repeatable.has(method),
      isShareable,
    };
  });
}

/** Those that count a part of the requests only are left to the service: the edge would count them all. */
const isPerNetwork = ({ per, from }: Limit): boolean => per === 'network' && from === undefined;

const scaled = ({ name, requests, windowSeconds }: Limit, by: number): EdgeLimit => ({
  name,
  requests: requests * by,
  windowSeconds,
});

function segmentsOf(path: string): (string | undefined)[] | undefined {
  const segments = path.slice(1).split('/');
  const isPlain = segments.every((segment) => /^(?::\w+|[\w.-]+)$/.test(segment));
  return isPlain ? segments.map((segment) => (segment.startsWith(':') ? undefined : segment)) : undefined;
}

const edgeProblems = [
  'malformed-request',
  'forbidden',
  'not-found',
  'method-not-allowed',
  'request-timeout',
  'content-too-large',
  'uri-too-long',
  'misdirected-request',
  'too-many-requests',
  'header-fields-too-large',
  'unavailable',
];

// eslint-disable-next-line typescript/no-explicit-any -- modules of the service, built or not
type Load = (module: string) => Promise<any>;

const built: Load = (module) => import(new URL(`../../dist/${module}.js`, import.meta.url).href);

/** Reads the declarations of the built service, as `npm run inventory` does. @param load another way to its modules. */
export async function readEdge(scale = 1, load = built): Promise<Edge> {
  await import('reflect-metadata');
  const { AppModule } = await load('app.module');
  const { declaredBy } = await load('inventory/modules');
  const { inventoryOf } = await load('inventory/inventory');
  const { listHandlers } = await load('common/http/handlers');
  const { limits: all, rateLimitsOf } = await load('common/http/rate-limit');
  const { problemTypes } = await load('common/http/problem');
  const { limits } = await load('security/transport/index');
  const declared = declaredBy(AppModule.with({ config: { apiDocs: true } }));
  const handlers = new Map<string, { method: unknown; controller: unknown }>(
    listHandlers(declared).map((handler: { route: string }) => [handler.route, handler]),
  );
  const limitsOf = ({ method, path }: InventoryRow): RateLimits => {
    const handler = handlers.get(`${method} ${path}`);
    return rateLimitsOf(handler?.method, handler?.controller);
  };
  const problems = problemTypes() as EdgeProblem[];
  return {
    routes: edgeRoutes({ rows: inventoryOf(declared), limitsOf, maxBodyBytes: limits.bodyBytes, scale }),
    everywhere: scaled((all() as Limit[]).find(({ name }) => name === 'network') ?? uncounted, scale),
    headers: declared.responseHeaders,
    problems: edgeProblems.map((name) => problems.find((one) => one.name === name) ?? missing(name)),
  };
}

/** Without the practice of rate limiting the service counts nothing, and the edge holds what a server bears. */
const uncounted: Limit = { name: 'network', requests: 1200, windowSeconds: 60, per: 'network' };

function missing(name: string): never {
  throw new Error(`there is no problem type ${name} any more: mend the list edgeProblems in this file`);
}
