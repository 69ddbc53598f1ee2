import type { Handler } from '../common/handlers.js';

// The metadata keys of @nestjs/swagger's decorators; the package does not export its constants.
const fieldNames = 'swagger/apiModelPropertiesArray';
const fieldSchema = 'swagger/apiModelProperties';
const answers = 'swagger/apiResponse';
const extraModels = 'swagger/apiExtraModels';

/**
 * A schema is called what its class is called: of two classes with one name @nestjs/swagger publishes the last for both, and only logs it.
 * @throws Error with every name that two inputs or views of these handlers have.
 */
export function refuseNamesakes(handlers: readonly Handler[]): void {
  const classes = new Set<Function>();
  const visit = (type: unknown): void => {
    if (typeof type !== 'function' || classes.has(type)) return;
    // To @nestjs/swagger, too, a function of this name is one that tells the class.
    if (type.name === 'type') return visit((type as () => unknown)());
    classes.add(type);
    fieldTypesOf(type).forEach(visit);
  };
  handlers.flatMap(declaredBy).forEach(visit);
  const names = [...classes].map(({ name }) => name);
  const twice = new Set(names.filter((name, index) => names.indexOf(name) !== index));
  if (twice.size > 0) throw new Error(`several inputs or views are called ${[...twice].join(', ')}: give each class a name of its own`);
}

/** The types of the parameters, and of the answers. */
function declaredBy({ controller, method }: Handler): unknown[] {
  const responses = (Reflect.getMetadata(answers, method) ?? {}) as Record<string, { readonly type?: unknown }>;
  const further = (Reflect.getMetadata(extraModels, method) ?? []) as unknown[];
  const parameters = (Reflect.getMetadata('design:paramtypes', controller.prototype as object, method.name) ?? []) as unknown[];
  return [...parameters, ...Object.values(responses).map(({ type }) => type), ...further];
}

/** Properties are listed as `:name`. */
function fieldTypesOf({ prototype }: Function): unknown[] {
  const names = (Reflect.getMetadata(fieldNames, prototype as object) ?? []) as string[];
  return names.map((name) => (Reflect.getMetadata(fieldSchema, prototype as object, name.slice(1)) as { type?: unknown } | undefined)?.type);
}
