// What the exports for other gateways than nginx have in common.
import type { Edge, EdgeLimit, EdgeProblem, EdgeRoute } from './edge-routes.ts';

export interface ExportOptions {
  /** Where the gateway reaches the service. */
  readonly upstream: string;
  /** CORS_ORIGINS of the service. */
  readonly origins: readonly string[];
}

export type Exporter = (edge: Edge, options: ExportOptions) => Readonly<Record<string, string>>;

/** `get-v1-resources--id`: told apart from the route of a literal segment `id`. */
export const nameOf = ({ method, segments, path }: EdgeRoute): string =>
  [method.toLowerCase(), ...path.slice(1).split('/')]
    .map((part, index) => (segments[index - 1] === undefined ? part.replace(':', '-') : part))
    .join('-')
    .replaceAll(/[^\w-]/g, '_');

export const patternOf = ({ segments }: EdgeRoute): string =>
  `/${segments.map((segment) => segment?.replaceAll('.', String.raw`\.`) ?? '[^/]+').join('/')}$`;

/** `GET` stands for HEAD too. */
export const methodsOf = ({ method }: EdgeRoute): string[] => (method === 'GET' ? ['GET', 'HEAD'] : [method]);

/** Those written out first, as in the router of the service. */
export const sorted = (routes: readonly EdgeRoute[]): EdgeRoute[] =>
  routes.toSorted((one, other) => parametersOf(one) - parametersOf(other));

export const parametersOf = ({ segments }: EdgeRoute): number =>
  segments.filter((segment) => segment === undefined).length;

/**
 * Never less than the service allows: the gateway's windows and the service's do not begin together, so one of the
 * gateway's meets one more of the service's than fit into it.
 */
export const requestsIn = (seconds: number, { requests, windowSeconds }: EdgeLimit): number =>
  requests * (Math.ceil(seconds / windowSeconds) + 1);

export const bodyOf = ({ name, status, title }: EdgeProblem, requestId?: string): string =>
  JSON.stringify({ type: `/problems/${name}`, title, status, ...(requestId === undefined ? {} : { requestId }) });

export function problemOf({ problems }: Edge, name: string): EdgeProblem {
  return problems.find((problem) => problem.name === name) ?? fail(`there is no problem type ${name}`);
}

/**
 * Gateways that choose a route by path and credential at once could take a request for its neighbour's.
 * @throws Error for a route that asks for no credential on a path that is also another's which does, or the reverse.
 */
export function assertUnmistakable(routes: readonly EdgeRoute[]): void {
  for (const route of routes) {
    const other = routes.find(
      (one) => one.method === route.method && isOpen(one) !== isOpen(route) && meet(one, route),
    );
    if (other === undefined) continue;
    const which = `${route.method} ${route.path}: its path is also one of ${other.path}`;
    fail(`${which}, and only one of them asks for a credential: give it a path of its own`);
  }
}

export const isOpen = ({ permission }: EdgeRoute): boolean => permission === undefined;

const meet = ({ segments }: EdgeRoute, other: EdgeRoute): boolean =>
  segments.length === other.segments.length &&
  segments.every((segment, index) => {
    const another = other.segments[index];
    return segment === undefined || another === undefined || segment === another;
  });

function fail(message: string): never {
  throw new Error(message);
}
