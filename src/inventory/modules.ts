import type { DynamicModule, Type } from '@nestjs/common';
import { MODULE_METADATA } from '@nestjs/common/constants.js';
import type { ControllerSource } from '../common/http/handlers.js';
import { RESPONSE_HEADERS } from '../common/http/response-headers.js';

/** What modules declare. */
export interface Declared extends ControllerSource {
  /** What they put on every response. */
  readonly responseHeaders: Readonly<Record<string, string>>;
}

/**
 * The controllers below a module, and headers of every response, from what the modules declare: nothing is
 * instantiated, so that no database, key or configuration is needed.
 * @throws Error for an import of a form that it does not know: a route that it missed would look as if it did not
 * exist.
 */
export function declaredBy(root: Type | DynamicModule): Declared {
  const seen = new Set<unknown>();
  const found = new Set<Type>();
  const responseHeaders: Record<string, string> = {};
  const visit = (imported: unknown): void => {
    if (seen.has(imported)) return;
    seen.add(imported);
    const { module, imports = [], controllers = [] } = asDynamic(imported);
    const declared = <T>(key: string) => (Reflect.getMetadata(key, module) ?? []) as T[];
    for (const controller of [...declared<Type>(MODULE_METADATA.CONTROLLERS), ...controllers]) found.add(controller);
    Object.assign(responseHeaders, Reflect.getMetadata(RESPONSE_HEADERS, module));
    for (const further of [...declared(MODULE_METADATA.IMPORTS), ...imports]) visit(further);
  };
  visit(root);
  return { getControllers: () => [...found].map((metatype) => ({ metatype })), responseHeaders };
}

function asDynamic(imported: unknown): DynamicModule {
  if (typeof imported === 'function') return { module: imported as Type };
  if (typeof imported === 'object' && imported !== null && 'module' in imported) return imported as DynamicModule;
  throw new Error(`the inventory cannot look into an import of the form ${String(imported)}: import the module itself`);
}
