import { HEADERS_METADATA } from '@nestjs/common/constants.js';
import { HttpAdapterHost } from '@nestjs/core';
import { FASTIFY_ROUTE_CONFIG_METADATA } from '@nestjs/platform-fastify/constants.js';
import { ACCESS, BEFORE_SECOND_FACTOR, STEP_UP, type Access } from '../common/access/access.decorators.js';
import { carriesCookie } from '../common/http/cookies.js';

import { listHandlers, type Handler } from '../common/http/handlers.js';
import { rateLimitsOf } from '../common/http/rate-limit.js';
import { parametersOf } from '../common/http/parameters.js';
import { declaredAnswer, isPublished } from '../common/http/published.js';
import { RouteTable } from '../common/http/route-table.js';
import { accessFaults } from '../security/authorization/declared-access.js';
import { formFaults } from '../security/validation/declared-forms.js';
import type { Declared } from './modules.js';

/** The columns of the inventory, in their order; a cell with nothing to say is `-`. */
export const columns = [
  'method',
  'path',
  'access',
  'callers',
  'objects',
  'before 2nd factor',
  'step-up',
  'limit',
  'input',
  'view',
  'CORS',
  'cache',
  'OpenAPI',
] as const;

/** One route in the words of the inventory. GET stands for HEAD too. */
export type InventoryRow = Readonly<Record<(typeof columns)[number], string>>;

/**
 * Every route of the controllers, sorted by path. Each cell is read from what the practice itself reads at run time.
 * @throws Error that names every handler which declares too little.
 */
export function inventoryOf(source: Declared): InventoryRow[] {
  const handlers = listHandlers(source);
  const faults = [...accessFaults(source), ...formFaults(handlers)];
  if (faults.length > 0) throw new Error(`handlers that declare too little:\n  - ${faults.join('\n  - ')}`);
  const routes = routeTableOf(handlers);
  const rows = handlers.map((handler) => rowOf(handler, routes, source.responseHeaders));
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

function rowOf(handler: Handler, routes: RouteTable, everywhere: Declared['responseHeaders']): InventoryRow {
  const { method: target, controller, route } = handler;
  const [method, path] = split(route);
  const access = Reflect.getMetadata(ACCESS, target) as Access;
  return {
    method,
    path,
    'access': accessOf(access),
    'callers': callersOf(access),
    'objects': access.kind === 'public' ? '-' : access.permission.objects,
    'before 2nd factor': (Reflect.getMetadata(BEFORE_SECOND_FACTOR, target) as string | undefined) ?? '-',
    'step-up': Reflect.getMetadata(STEP_UP, target) === true ? 'yes' : '-',
    'limit': rateLimitsOf(target, controller).name,
    'input': inputsOf(handler),
    'view': viewOf(target),
    'CORS': corsOf(method, path, routes),
    'cache': cacheOf(target) ?? everywhere['cache-control'] ?? '-',
    'OpenAPI': isPublished(target, controller) ? 'yes' : '-',
  };
}

function accessOf(access: Access): string {
  if (access.kind === 'permission') return access.permission.name;
  return access.signature === undefined ? 'public' : `signed by ${access.signature.sender}`;
}

const plural = { person: 'people', machine: 'machines' } as const;

function callersOf(access: Access): string {
  const { kind, kinds } = access;
  if (kind === 'public' && access.signature !== undefined) return 'whoever has the secret';
  const callers = kinds.map((each) => plural[each]);
  if (kind === 'public') return callers.length > 1 ? 'anybody' : `anybody without a credential, ${callers.join()}`;
  return callers.join(', ');
}

const split = (route: string) => route.split(' ') as [method: string, path: string];

/** `path IdParam, body UpdateResource`, in the order of the parameters. */
function inputsOf({ controller, key }: Handler): string {
  const inputs = parametersOf(controller, key).filter(({ part }) => part !== undefined);
  return inputs.map(({ part, type }) => `${part} ${type?.name}`).join(', ') || '-';
}

function viewOf(handler: Function): string {
  const view = declaredAnswer(handler);
  return typeof view === 'function' ? view.name : String(view);
}

/**
 * What a preflight of a listed origin is told: the methods of every route that matches the path, and whether cookies
 * may come along.
 */
function corsOf(method: string, path: string, routes: RouteTable): string {
  const methods = routes.methodsOf(path).filter((name) => name !== 'OPTIONS');
  return `${methods.join(' ')}${routes.carriesCookie(path, method) ? ', credentials' : ''}`;
}

/** What a handler says in place of what every answer carries. */
function cacheOf(handler: Function): string | undefined {
  const headers = (Reflect.getMetadata(HEADERS_METADATA, handler) ?? []) as {
    readonly name: string;
    readonly value: string;
  }[];
  return headers.find(({ name }) => name.toLowerCase() === 'cache-control')?.value;
}
