import { RequestMethod, type Type } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';

/** A method of a controller that answers a route. */
export interface Handler {
  readonly controller: Type;
  /** The name of the method. */
  readonly key: string;
  readonly method: (...args: unknown[]) => unknown;
  /** `ResourcesController.update` */
  readonly name: string;
  /** `PATCH /v1/resources/:id` */
  readonly route: string;
}

/**
 * What `DiscoveryService` tells of a running application, and `src/inventory/modules.ts` of one that was never started.
 */
export interface ControllerSource {
  getControllers(): readonly { readonly metatype: Function | null }[];
}

/** Every route handler of the application, inherited ones included, for the checks at boot and the inventory. */
export function listHandlers(source: ControllerSource): Handler[] {
  return source.getControllers().flatMap(({ metatype }) => {
    const controller = metatype as Type;
    return methodNames(controller.prototype as object).flatMap((key) => handlersOf(controller, key));
  });
}

/** As Nest itself scans a controller: up to, and without, Object.prototype. */
function methodNames(prototype: object): string[] {
  const names = new Set<string>();
  for (let link = prototype; link !== Object.prototype; link = Object.getPrototypeOf(link) as object) {
    for (const name of Object.getOwnPropertyNames(link)) if (name !== 'constructor') names.add(name);
  }
  return [...names];
}

function handlersOf(controller: Type, key: string): Handler[] {
  const method = (controller.prototype as Record<string, unknown>)[key] as Handler['method'];
  const verb =
    typeof method === 'function'
      ? (Reflect.getMetadata(METHOD_METADATA, method) as RequestMethod | undefined)
      : undefined;
  if (verb === undefined) return [];
  const prefixes = [Reflect.getMetadata(PATH_METADATA, controller)].flat() as string[];
  const paths = [Reflect.getMetadata(PATH_METADATA, method)].flat() as string[];
  return prefixes.flatMap((prefix) =>
    paths.map((path) => ({
      controller,
      key,
      method,
      name: `${controller.name}.${key}`,
      route: `${RequestMethod[verb]} ${join(prefix, path)}`,
    })),
  );
}

const join = (prefix: string, path: string): string =>
  `/${[prefix, path]
    .flatMap((part) => part.split('/'))
    .filter((part) => part !== '')
    .join('/')}`;

/**
 * Remembers per handler what `read` makes of it: metadata does not change, so it is read once.
 * Per controller, too:
 * two that inherit one handler share the function, and not what their classes declare.
 */
export function oncePerHandler<T>(read: (handler: Function, controller: Function) => T) {
  const known = new WeakMap<Function, WeakMap<Function, T>>();
  return (handler: Function, controller: Function): T => {
    const found = known.get(controller)?.get(handler);
    if (found !== undefined) return found;
    const made = read(handler, controller);
    const handlers = known.get(controller) ?? new WeakMap<Function, T>();
    known.set(controller, handlers.set(handler, made));
    return made;
  };
}
