import { HEADERS_METADATA, ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import { HttpAdapterHost } from '@nestjs/core';
import { FASTIFY_ROUTE_CONFIG_METADATA } from '@nestjs/platform-fastify/constants.js';
import { ACCESS, BEFORE_SECOND_FACTOR, STEP_UP, type Access } from '../common/access.decorators.js';
import { carriesCookie } from '../common/cookies.js';
import { listHandlers, type ControllerSource, type Handler } from '../common/handlers.js';
import { permissions } from '../common/permissions.js';
import { limitClassOf } from '../common/rate-limit.decorator.js';
import { REQUEST_HEADERS } from '../common/request-headers.js';
import { RouteTable } from '../common/route-table.js';
import { accessFaults } from '../security/authorization/declared-access.js';
import { securityHeaders } from '../security/headers/security-headers.js';
import { formFaults } from '../security/validation/declared-forms.js';
import { declaredView } from '../security/validation/declared-view.js';

/** The columns of the inventory, in their order; a cell with nothing to say is `-`. */
export const columns = ['method', 'path', 'access', 'objects', 'before 2nd factor', 'step-up', 'limit', 'input', 'view', 'CORS', 'cache', 'OpenAPI'] as const;

/** One route in the words of the inventory. GET stands for HEAD too. */
export type InventoryRow = Readonly<Record<(typeof columns)[number], string>>;

/**
 * Every route of the controllers, sorted by path. Each cell is read from what the practice itself reads at run time.
 * @throws Error that names every handler which declares too little.
 */
export function inventoryOf(source: ControllerSource): InventoryRow[] {
  const handlers = listHandlers(source);
  const faults = [...accessFaults(source), ...formFaults(handlers)];
  if (faults.length > 0) throw new Error(`handlers that declare too little:\n  - ${faults.join('\n  - ')}`);
  const routes = routeTableOf(handlers);
  const rows = handlers.map((handler) => rowOf(handler, routes));
  return rows.toSorted((one, other) => compare(one.path, other.path) || compare(one.method, other.method));
}

const compare = (one: string, other: string): number => (one < other ? -1 : Number(one > other));

/** What the router would tell of these handlers, in a process without one. */
function routeTableOf(handlers: readonly Handler[]): RouteTable {
  const routes = new RouteTable(new HttpAdapterHost());
  for (const { method: handler, route } of handlers) {
    const [method, path] = split(route);
    const config: unknown = Reflect.getMetadata(FASTIFY_ROUTE_CONFIG_METADATA, handler);
    routes.add(path, method === 'GET' ? ['GET', 'HEAD'] : [method], carriesCookie(config));
  }
  return routes;
}

function rowOf(handler: Handler, routes: RouteTable): InventoryRow {
  const { method: target, controller, route } = handler;
  const [method, path] = split(route);
  const access = Reflect.getMetadata(ACCESS, target) as Access;
  const isExcluded = excluded.some((key) => Reflect.hasMetadata(key, target) || Reflect.hasMetadata(key, controller));
  return {
    method,
    path,
    'access': access.kind === 'public' ? 'public' : access.permission,
    'objects': access.kind === 'public' ? '-' : permissions[access.permission].objects,
    'before 2nd factor': (Reflect.getMetadata(BEFORE_SECOND_FACTOR, target) as string | undefined) ?? '-',
    'step-up': Reflect.getMetadata(STEP_UP, target) === true ? 'yes' : '-',
    'limit': limitClassOf(target, controller),
    'input': inputsOf(handler),
    'view': viewOf(target),
    'CORS': corsOf(method, path, routes),
    'cache': cacheOf(target),
    'OpenAPI': isExcluded ? '-' : 'yes',
  };
}

const split = (route: string) => route.split(' ') as [method: string, path: string];

// The metadata keys of @nestjs/swagger's decorators; the package does not export its constants.
const excluded = ['swagger/apiExcludeController', 'swagger/apiExcludeEndpoint'];

const kinds: Readonly<Record<string, string>> = {
  [RouteParamtypes.PARAM]: 'path',
  [RouteParamtypes.QUERY]: 'query',
  [RouteParamtypes.BODY]: 'body',
  [REQUEST_HEADERS]: 'headers',
};

/** `path IdParam, body UpdateResource`, in the order of the parameters. */
function inputsOf({ controller, method }: Handler): string {
  const args = (Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, method.name) ?? {}) as Record<string, { index: number; data?: unknown }>;
  const types = (Reflect.getMetadata('design:paramtypes', controller.prototype as object, method.name) ?? []) as Function[];
  const inputs = Object.entries(args).toSorted(([, one], [, other]) => one.index - other.index);
  const named = inputs.flatMap(([key, { index, data }]) => {
    const kind = kinds[data === REQUEST_HEADERS ? REQUEST_HEADERS : (key.split(':')[0] ?? '')];
    return kind === undefined ? [] : [`${kind} ${types[index]?.name}`];
  });
  return named.join(', ') || '-';
}

function viewOf(handler: Function): string {
  const view = declaredView(handler);
  return typeof view === 'function' ? view.name : String(view);
}

/** What a preflight of a listed origin is told: the methods of every route that matches the path, and whether cookies may come along. */
function corsOf(method: string, path: string, routes: RouteTable): string {
  const methods = routes.methodsOf(path).filter((name) => name !== 'OPTIONS');
  return `${methods.join(' ')}${routes.carriesCookie(path, method) ? ', credentials' : ''}`;
}

/** The headers practice puts its own on every answer; what a handler says in its place counts. */
function cacheOf(handler: Function): string {
  const headers = (Reflect.getMetadata(HEADERS_METADATA, handler) ?? []) as { readonly name: string; readonly value: string }[];
  return headers.find(({ name }) => name.toLowerCase() === 'cache-control')?.value ?? securityHeaders['cache-control'] ?? '-';
}
