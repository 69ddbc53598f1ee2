import type { EdgeRoute } from '../../scripts/gateway/edge-routes.js';
import { nginxFiles } from '../../scripts/gateway/nginx.js';
import type { Service } from '../../src/app.js';
import { RouteTable } from '../../src/common/http/route-table.js';
import { declaredEdge, Edge, Trust, type Behind } from './edge.js';

/** `GATEWAY=yes`: every request of the tests goes through nginx (e2e.services.test.ts). */
export const isBehindGateway = process.env['GATEWAY'] === 'yes';

/** One gateway for each instance, since tests choose their instance; it goes with it. */
export async function putGatewayInFront(service: Service, origin: { port: number; ca: string }): Promise<void> {
  const trust = await Trust.create();
  const behind: Behind = {
    ports: [origin.port],
    ca: origin.ca,
    // Pages of the tests come from the port of the service.
    authority: `localhost:${origin.port}`,
    exported: nginxFiles(await edgeOf(service)),
  };
  const edge = await Edge.start(behind, trust);
  service.app.getHttpServer().once('close', () => void edge.stop().finally(() => trust.remove()));
  Object.assign(origin, { port: edge.port, ca: edge.ca });
}

/** With the routes that a test adds: those that the router has. Their limits are the service's own. */
async function edgeOf(service: Service) {
  const routes = service.app.get(RouteTable, { strict: false }).list().map(routeOf);
  return {
    ...(await declaredEdge()),
    routes: routes.filter(({ method }) => method !== 'HEAD' && method !== 'OPTIONS'),
  };
}

function routeOf(route: string): EdgeRoute {
  const [method = '', path = ''] = route.split(' ');
  const segments = path
    .slice(1)
    .split('/')
    .map((segment) => (segment.startsWith(':') ? undefined : segment));
  const rest = { permission: undefined, callers: [], limits: [], isIdempotent: false, isShareable: false };
  return { method, path, segments, maxBodyBytes: 64 * 1024, ...rest };
}
