// Makes of the declared routes a declarative configuration of Kong 3, open source, as decK and DB-less Kong read it.
import type { Edge, EdgeLimit, EdgeProblem, EdgeRoute } from './edge-routes.ts';
import {
  assertUnmistakable,
  bodyOf,
  isOpen,
  methodsOf,
  nameOf,
  parametersOf,
  patternOf,
  problemOf,
  requestsIn,
  type Exporter,
  type ExportOptions,
} from './vendors.ts';

interface Plugin {
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>>;
}

export const kongFiles: Exporter = (edge, options) => {
  assertUnmistakable(edge.routes);
  const service = {
    name: 'service',
    url: options.upstream,
    tls_verify: true,
    // What was sent is not sent again: Kong does not tell idempotent methods from others.
    retries: 0,
    plugins: [limitsOf([edge.everywhere]), ...corsOf(options, false)],
    routes: [...edge.routes.map((route) => routeOf(route, edge, options)), preflight(edge.routes)],
  };
  const configuration = {
    _format_version: '3.0',
    services: [service],
    routes: [...refusals(edge, options), unknown(edge)],
  };
  return { 'kong.json': `${JSON.stringify(configuration, undefined, 2)}\n` };
};

/** Whoever shows no credential does not match it; the service judges the credential. */
function routeOf(route: EdgeRoute, { everywhere }: Edge, options: ExportOptions) {
  return {
    ...matching(nameOf(route), [route], methodsOf(route)),
    regex_priority: 100 - parametersOf(route),
    ...(isOpen(route) ? {} : { headers: { authorization: ['~*.+'] } }),
    plugins: [
      { name: 'request-size-limiting', config: { allowed_payload_size: route.maxBodyBytes, size_unit: 'bytes' } },
      // A plugin of a route stands in for the service's of that name.
      ...(route.limits.length > 0 ? [limitsOf([everywhere, ...route.limits])] : []),
      ...(route.takesCookies ? corsOf(options, true) : []),
    ],
  };
}

const matching = (name: string, routes: readonly EdgeRoute[], methods: readonly string[]) => ({
  name,
  protocols: ['https'],
  methods,
  paths: [...new Set(routes.map((route) => `~${patternOf(route)}`))],
  strip_path: false,
  preserve_host: true,
});

/** Preflights carry no credential. The service answers them: it knows what each path may be asked. */
const preflight = (routes: readonly EdgeRoute[]) => matching('preflight', routes, ['OPTIONS']);

/** The same paths without the header: Kong prefers the route that asks for more. */
function refusals({ routes, headers, unauthenticated }: Edge, options: ExportOptions) {
  const closed = Map.groupBy(
    routes.filter((route) => !isOpen(route)),
    ({ method }) => method,
  );
  return [...closed].map(([method, all]) => ({
    ...matching(`unauthenticated-${method.toLowerCase()}`, all, methodsOf(all[0] as EdgeRoute)),
    plugins: [...answers(unauthenticated, { ...headers, 'www-authenticate': 'Bearer' }), ...corsOf(options, false)],
  }));
}

const unknown = (edge: Edge) => ({
  name: 'unknown',
  protocols: ['http', 'https'],
  paths: ['/'],
  plugins: answers(problemOf(edge, 'not-found'), edge.headers),
});

function answers(problem: EdgeProblem, headers: Edge['headers']): Plugin[] {
  const fields = Object.entries(headers).map(([field, value]) => `${field}:${value}`);
  return [
    {
      name: 'request-termination',
      config: { status_code: problem.status, content_type: 'application/problem+json', body: bodyOf(problem) },
    },
    { name: 'response-transformer', config: { add: { headers: fields } } },
  ];
}

const units = { minute: 60, hour: 3600 } as const;

/** In the unit that is not shorter than the window; of two in one unit the lower one. */
function limitsOf(limits: readonly EdgeLimit[]): Plugin {
  const rates: Record<string, number> = {};
  for (const limit of limits) {
    const unit = Object.entries(units).find(([, seconds]) => seconds >= limit.windowSeconds);
    if (unit === undefined) throw new Error(`${limit.name}: Kong is told of no window above an hour: shorten it`);
    const [name, seconds] = unit;
    rates[name] = Math.min(rates[name] ?? Infinity, requestsIn(seconds, limit));
  }
  // Kong takes no unit with more than a longer one has, and nobody could use it up.
  if (rates.hour !== undefined && rates.minute !== undefined) rates.minute = Math.min(rates.minute, rates.hour);
  // A gateway that cannot count lets through: the service counts as well.
  return { name: 'rate-limiting', config: { ...rates, limit_by: 'ip', policy: 'local', fault_tolerant: true } };
}

const corsOf = ({ origins }: ExportOptions, credentials: boolean): Plugin[] =>
  origins.length === 0 ? [] : [{ name: 'cors', config: { origins, credentials, preflight_continue: true } }];
