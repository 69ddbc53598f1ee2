// Makes of the declared routes what deploy/gateway/nginx.conf includes.
import type { Edge, EdgeLimit, EdgeProblem, EdgeRoute } from './edge-routes.ts';

/** The text of each file, by its name in `deploy/gateway/exported/`. */
export function nginxFiles(edge: Edge): Readonly<Record<string, string>> {
  return {
    'routes.conf': `${head}${routeMaps(edge.routes)}\n${limitZones(edge)}`,
    'limits.conf': `${head}${limitLines(edge)}`,
    'problems.conf': `${head}${edge.problems.map((problem) => problemPage(problem, edge.headers)).join('\n')}`,
  };
}

const head = '# Made of the declared routes by `npm run gateway:export nginx`: do not edit it.\n\n';

/**
 * By the path as it was sent. nginx's own locations match what it decoded and cleaned, and the service would then be
 * asked for another path than the one that was let through (abuse case A5-2). `~` tells large letters from small ones,
 * which plain texts in a map do not.
 */
function routeMaps(routes: readonly EdgeRoute[]): string {
  const byPath = Map.groupBy(routes, ({ path }) => path);
  const sorted = [...byPath].toSorted(([one], [other]) => compare(rank(one), rank(other)));
  const methods = sorted.map(([, all]) => [pathPattern(all), `"${methodsOf(all).join(', ')}"`] as const);
  const names = sorted.map(([path, all]) => [pathPattern(all), `"${path}"`] as const);
  const allowed = sorted.map(
    ([, all]) => [`^(?:${methodsOf(all).join('|')}) ${pathPattern(all).slice(1)}`, '1'] as const,
  );
  return [
    '# What `Allow` says; empty for a path that no route has.',
    mapOf('$edge_path', '$edge_methods', '""', methods),
    '# The name of the route, for the log: a path holds ids.',
    mapOf('$edge_path', '$edge_route', '-', names),
    '# 1 when the route takes the method.',
    mapOf('"$request_method $edge_path"', '$edge_is_allowed', '0', allowed),
  ].join('\n');
}

/** Paths that are written out go before those with parameters, as in the router of the service. */
const rank = (path: string): string => path.replaceAll(/:\w+/g, '~');
const compare = (one: string, other: string): number => (one < other ? -1 : Number(one > other));

const methodsOf = (routes: readonly EdgeRoute[]): string[] =>
  [...routes.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method])), 'OPTIONS'].toSorted();

function pathPattern([route]: readonly EdgeRoute[]): string {
  const segments = route?.segments.map((segment) => segment?.replaceAll('.', String.raw`\.`) ?? '[^/]+') ?? [];
  return `^/${segments.join('/')}$`;
}

function mapOf(from: string, to: string, fallback: string, entries: readonly (readonly [string, string])[]): string {
  const lines = entries.map(([key, value]) => `    "~${key}" ${value};\n`);
  return `map ${from} ${to} {\n    default ${fallback};\n${lines.join('')}}\n`;
}

/** A key that is empty is not counted. */
function limitZones({ routes, everywhere }: Edge): string {
  const own = [...ownLimits(routes)].map(([name, limited]) => {
    const key = `$edge_limit_${nameOf(name)}`;
    const entries = limited.routes.map(
      (route) =>
        [
          `^${route.method === 'GET' ? '(?:GET|HEAD)' : route.method} ${pathPattern([route]).slice(1)}`,
          '$edge_network',
        ] as const,
    );
    return `${mapOf('"$request_method $edge_path"', key, '""', entries)}${zone(key, limited.limit)}`;
  });
  return ['# Requests of one network.', zone('$edge_network', everywhere), ...own].join('\n');
}

/**
 * A minute's share, and one more for what nginx loses by whole thousandths: never less than the service allows.
 */
const zone = (key: string, { name, requests, windowSeconds }: EdgeLimit): string =>
  `limit_req_zone ${key} zone=${nameOf(name)}:10m rate=${Math.ceil((requests * 60) / windowSeconds) + 1}r/m;\n`;

/**
 * The service counts in windows: who uses up one at its end and the next at its beginning sends twice as many at once,
 * and is right to. So is the burst.
 */
const limitLines = ({ routes, everywhere }: Edge): string =>
  [everywhere, ...[...ownLimits(routes).values()].map(({ limit }) => limit)]
    .map(({ name, requests }) => `limit_req zone=${nameOf(name)} burst=${2 * requests} nodelay;\n`)
    .join('') + `client_max_body_size ${Math.max(...routes.map(({ maxBodyBytes }) => maxBodyBytes))};\n`;

const nameOf = (limit: string): string => limit.replaceAll('-', '_');

function ownLimits(routes: readonly EdgeRoute[]): ReadonlyMap<string, { limit: EdgeLimit; routes: EdgeRoute[] }> {
  const found = new Map<string, { limit: EdgeLimit; routes: EdgeRoute[] }>();
  for (const route of routes) {
    for (const limit of route.limits) {
      const entry = found.get(limit.name) ?? { limit, routes: [] };
      entry.routes.push(route);
      found.set(limit.name, entry);
    }
  }
  return found;
}

/** Statuses of nginx that have no answer of their own: a header that is too large, and an instance that is gone. */
const aliases: Readonly<Record<number, readonly string[]>> = {
  400: ['400', '495', '496', '497'],
  431: ['431', '494'],
  503: ['502', '503', '504'],
};

const further: Readonly<Record<number, string>> = {
  405: '    add_header allow $edge_methods always;\n',
  429: '    add_header retry-after 60 always;\n',
  503: '    add_header retry-after 5 always;\n',
};

/** Paths that no client can ask for: `internal`. */
function problemPage({ name, status, title }: EdgeProblem, headers: Edge['headers']): string {
  const codes = aliases[status] ?? [String(status)];
  const body = JSON.stringify({ type: `/problems/${name}`, title, status, requestId: '$edge_request_id' });
  const fields = Object.entries({ ...headers, 'cache-control': 'no-store', 'x-request-id': '$edge_request_id' });
  const lines = fields.map(([field, value]) => `    add_header ${field} "${value}" always;\n`).join('');
  return (
    `error_page ${codes.join(' ')} =${status} /.edge/${status};\n` +
    `location = /.edge/${status} {\n    internal;\n    modsecurity off;\n` +
    `    default_type "application/problem+json; charset=utf-8";\n` +
    `${lines}${further[status] ?? ''}    return ${status} '${body.replaceAll("'", String.raw`\'`)}';\n}\n`
  );
}
