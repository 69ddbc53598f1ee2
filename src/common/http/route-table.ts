import { Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { carriesCookie } from './cookies.js';

interface Route {
  readonly pattern: RegExp;
  readonly methods: Set<string>;
  readonly methodsWithCookie: Set<string>;
}

/** The routes that the router really has, so that 405, `Allow` and CORS tell the truth and nothing else. */
@Injectable()
export class RouteTable {
  private readonly routes = new Map<string, Route>();

  constructor(host: HttpAdapterHost) {
    // Commands run without an HTTP server, and then there is nothing to list.
    const instance: FastifyInstance | undefined = host.httpAdapter?.getInstance?.();
    instance?.addHook?.('onRoute', ({ url, method, config }) => this.add(url, [method].flat(), carriesCookie(config)));
  }

  /** The methods of a request path, sorted, `OPTIONS` included; empty when no route has that path. */
  methodsOf(path: string): string[] {
    const decoded = decode(path);
    const methods = new Set<string>();
    for (const route of this.routes.values()) {
      if (decoded !== undefined && route.pattern.test(decoded)) route.methods.forEach((method) => methods.add(method));
    }
    if (methods.size > 0) methods.add('OPTIONS');
    return [...methods].toSorted();
  }

  /** True when the route of that path and method has the mark of `@CarriesCookie()`. */
  carriesCookie(path: string, method: string): boolean {
    const decoded = decode(path);
    if (decoded === undefined) return false;
    // A path that is written out goes before one with parameters, as in the router.
    const exact = this.routes.get(decoded);
    if (exact !== undefined) return exact.methodsWithCookie.has(method);
    return [...this.routes.values()].some(
      (route) => route.methodsWithCookie.has(method) && route.pattern.test(decoded),
    );
  }

  /** Every route as it was registered, for example `PUT /v1/resources/:id`. */
  list(): string[] {
    return [...this.routes].flatMap(([url, { methods }]) => [...methods].map((method) => `${method} ${url}`));
  }

  /** Called by the router for each of its routes. */
  add(url: string, methods: readonly string[], withCookie: boolean): void {
    const route = this.routes.get(url) ?? {
      pattern: patternOf(url),
      methods: new Set<string>(),
      methodsWithCookie: new Set<string>(),
    };
    for (const method of methods) {
      route.methods.add(method.toUpperCase());
      if (withCookie) route.methodsWithCookie.add(method.toUpperCase());
    }
    this.routes.set(url, route);
  }
}

/** `:name` stands for one segment, a `*` at the end for the rest, as in find-my-way. */
function patternOf(url: string): RegExp {
  const source = url
    .replace(/[.+?^${}()|[\]\\]/g, '\\$&')
    .replace(/:[^/.-]+/g, '[^/]+')
    .replace(/\*$/, '.*');
  return new RegExp(`^${source}$`);
}

/** As the router does: an encoded slash stays encoded, so that it never separates segments. */
function decode(path: string): string | undefined {
  try {
    return decodeURI(path);
  } catch {
    return undefined;
  }
}
