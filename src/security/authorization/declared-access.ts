import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { ACCESS, BEFORE_SECOND_FACTOR, STEP_UP, type Access } from '../../common/access/access.decorators.js';
import { listHandlers, type ControllerSource } from '../../common/http/handlers.js';
import { RouteTable } from '../../common/http/route-table.js';

const forHandlersOnly = {
  [ACCESS]: '@Can(...) or @Public()',
  [BEFORE_SECOND_FACTOR]: '@BeforeSecondFactor()',
  [STEP_UP]: '@StepUp()',
};

/**
 * Refuses the boot while a route is open by omission: a handler without `@Can` or `@Public`, a decorator on a class,
 * where the guard does not look, or a route that was registered on Fastify directly and therefore walks past every
 * guard (abuse case A5-6).
 */
@Injectable()
export class DeclaredAccess implements OnApplicationBootstrap {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly routes: RouteTable,
  ) {}

  /** @throws Error that names every undeclared handler, every decorator on a class and every stray route. */
  onApplicationBootstrap(): void {
    const handlers = listHandlers(this.discovery);
    // A GET route answers HEAD too; Fastify makes it, with the same handler and the same guards.
    const declared = new Set(handlers.flatMap(({ route }) => [route, route.replace(/^GET /, 'HEAD ')]));
    const stray = this.routes.list().filter((route) => !declared.has(route));
    const faults = [
      ...accessFaults(this.discovery),
      ...stray.map((route) => `${route} is a Fastify route that no controller declares: guards would not see it`),
    ];
    if (faults.length > 0) throw new Error(`routes without a declared policy:\n  - ${faults.join('\n  - ')}`);
  }
}

/** What is open by omission among the handlers, in words for the operator. */
export function accessFaults(source: ControllerSource): string[] {
  const handlers = listHandlers(source);
  const undeclared = handlers.filter(({ method }) => Reflect.getMetadata(ACCESS, method) === undefined);
  const impossible = handlers.filter(({ method }) => isForMachines(method) && Reflect.hasMetadata(STEP_UP, method));
  return [
    ...decoratedClasses(source),
    ...undeclared.map(({ name }) => `${name} declares neither @Can(...) nor @Public()`),
    ...impossible.map(({ name }) => `${name} is open to machines, and none of them can pass @StepUp(): drop one`),
  ];
}

function isForMachines(handler: Function): boolean {
  const access = Reflect.getMetadata(ACCESS, handler) as Access | undefined;
  return access?.kind === 'permission' && access.kinds.includes('machine');
}

/** Inherited metadata counts too: Reflect looks at the base classes. */
function decoratedClasses(source: ControllerSource): string[] {
  return source.getControllers().flatMap(({ metatype }) =>
    Object.entries(forHandlersOnly)
      .filter(([key]) => Reflect.hasMetadata(key, metatype as Function))
      .map(
        ([, decorator]) => `${(metatype as Function).name} has ${decorator} on the class: it counts on handlers only`,
      ),
  );
}
