import type { Handler } from '../common/http/handlers.js';
import { parametersOf } from '../common/http/parameters.js';
import { publishedFields, publishedModels } from '../common/http/published.js';

/**
 * A schema is called what its class is called: of two classes with one name @nestjs/swagger publishes the last for
 * both, and only logs it.
 * @throws Error with every name that two inputs or views of these handlers have.
 */
export function assertNoNamesakes(handlers: readonly Handler[]): void {
  const classes = new Set<Function>();
  const visit = (type: unknown): void => {
    if (typeof type !== 'function' || classes.has(type)) return;
    // To @nestjs/swagger, too, a function of this name is one that tells the class.
    if (type.name === 'type') return visit((type as () => unknown)());
    classes.add(type);
    publishedFields(type).forEach(([, field]) => visit(field.type));
  };
  handlers.flatMap(declaredBy).forEach(visit);
  const names = [...classes].map(({ name }) => name);
  const twice = new Set(names.filter((name, index) => names.indexOf(name) !== index));
  if (twice.size > 0)
    throw new Error(`several inputs or views are called ${[...twice].join(', ')}: give each class a name of its own`);
}

const declaredBy = ({ controller, key, method }: Handler): unknown[] => [
  ...parametersOf(controller, key).map(({ type }) => type),
  ...publishedModels(method),
];
