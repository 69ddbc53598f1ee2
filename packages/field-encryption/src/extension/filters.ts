import { type Args, asList, isArgs, type Model, narrow, type Relation } from './models.js';
import type { BlindIndex } from '../cells/blind-index.js';
import type { EncryptedField } from '../field-map.js';
import { throwMisuse } from '../field-encryption.error.js';

const combinators = new Set(['AND', 'OR', 'NOT']);
/** Operators that a blind index answers -> operator on the index column, where every key in use gives a candidate. */
const searchOperators = new Map([
  ['equals', 'in'],
  ['in', 'in'],
  ['not', 'notIn'],
  ['notIn', 'notIn'],
]);
const relationOperators = ['is', 'isNot', 'some', 'every', 'none'];

/** Turns conditions on encrypted fields into conditions on their blind index, wherever a filter can stand. */
export class Filters {
  constructor(private readonly blindIndex: BlindIndex) {}

  /** @throws FieldEncryptionError for a condition that no blind index can answer. */
  where(model: Model, where: unknown): void {
    if (!isArgs(where)) return;
    for (const [name, value] of Object.entries(where)) {
      const relation = model.relations.get(name);
      const field = model.encrypted.get(name);
      if (combinators.has(name)) for (const part of asList(value)) this.where(model, part);
      else if (relation !== undefined) this.relation(relation, value);
      else if (field !== undefined) this.encrypted(model, field, where);
      else refuseReference(model, value);
    }
  }

  private relation(relation: Relation, value: unknown): void {
    if (!isArgs(value)) return;
    const operators = relationOperators.filter((operator) => operator in value);
    if (operators.length === 0) this.where(relation.target, value);
    for (const operator of operators) this.where(relation.target, value[operator]);
  }

  private encrypted(model: Model, field: EncryptedField, where: Args): void {
    const condition = where[field.name];
    if (condition === null) return;
    delete where[field.name];
    narrow(where, ...this.conditions(model, field, isArgs(condition) ? condition : { equals: condition }));
  }

  private conditions(model: Model, field: EncryptedField, parts: Args): Args[] {
    const operators = Object.entries(parts);
    if (operators.length === 0)
      throwMisuse('unsupported-filter', `the condition on ${model.name}.${field.name} is empty: leave it out`);
    return operators.map(([operator, value]) => this.condition(model, field, operator, value));
  }

  /** One condition on the sealed column (null or not null only) or on the index column. */
  private condition(model: Model, field: EncryptedField, operator: string, value: unknown): Args {
    if (value === null && (operator === 'equals' || operator === 'not')) return { [field.name]: { [operator]: null } };
    if (operator === 'not' && isArgs(value)) return { NOT: { AND: this.conditions(model, field, value) } };
    const search = searchOperators.get(operator);
    const texts = asList(value);
    const name = `${model.name}.${field.name}`;
    if (search === undefined) {
      return throwMisuse(
        'unsupported-filter',
        `${name} is sealed, so "${operator}" cannot search it: compare with equals, in, not or notIn`,
      );
    }
    if (field.index === undefined) {
      return throwMisuse(
        'unsupported-filter',
        `${name} has no blind index: add /// @blindIndex(...) in the schema, or filter after reading`,
      );
    }
    // Prisma drops a condition whose value is undefined: `where: { email: undefined }` would be everybody.
    if (value === undefined || !texts.every((text) => typeof text === 'string')) {
      return throwMisuse(
        'unsupported-filter',
        `${name} can only be compared with texts: leave the condition out, or give it a value`,
      );
    }
    const candidates = texts.flatMap((text) => this.blindIndex.candidates(field.frozenName, text));
    return { [field.index.column]: { [search]: candidates } };
  }

  /** `orderBy`, `distinct` and `cursor` at one level. @throws FieldEncryptionError */
  order(model: Model, args: Args): void {
    for (const part of asList(args['orderBy'])) this.orderBy(model, part);
    const used = [...asList(args['distinct']), ...Object.keys(isArgs(args['cursor']) ? args['cursor'] : {})];
    for (const name of used) refuseOrder(model, name);
  }

  private orderBy(model: Model, part: unknown): void {
    if (!isArgs(part)) return;
    for (const [name, value] of Object.entries(part)) {
      const relation = model.relations.get(name);
      if (relation !== undefined) this.orderBy(relation.target, value);
      // Aggregates of groupBy, and full-text relevance, name their fields one level deeper.
      else if (name.startsWith('_') && name !== '_count') for (const inner of namesIn(value)) refuseOrder(model, inner);
      else refuseOrder(model, name);
    }
  }

  /** What `aggregate` and `groupBy` compute. @throws FieldEncryptionError */
  aggregates(model: Model, args: Args): void {
    const names = ['_min', '_max', '_sum', '_avg'].flatMap((name) => namesIn(args[name]));
    for (const name of [...names, ...asList(args['by']), ...conditionNames(args['having'])]) {
      if (typeof name === 'string' && model.encrypted.has(name)) {
        throwMisuse('unsupported-aggregate', `${model.name}.${name} is sealed: group or compute by another field`);
      }
    }
  }
}

function refuseOrder(model: Model, name: unknown): void {
  if (typeof name === 'string' && model.encrypted.has(name)) {
    throwMisuse(
      'unsupported-order',
      `${model.name}.${name} is sealed: sort, page and tell apart by another field, for example the id`,
    );
  }
}

/** `{ title: { equals: prisma.resource.fields.note } }`: would compare with ciphertext, and be silently false. */
function refuseReference(model: Model, value: unknown): void {
  const values = isArgs(value) ? Object.values(value) : [value];
  for (const reference of values) {
    if (typeof reference !== 'object' || reference === null || !('modelName' in reference) || !('name' in reference))
      continue;
    if (reference.modelName === model.name && model.encrypted.has(String(reference.name))) {
      throwMisuse(
        'unsupported-filter',
        `${model.name}.${String(reference.name)} is sealed: it cannot be compared with another field`,
      );
    }
  }
}

/** Field names in `{ email: 'asc' }`, `{ email: true }` or `{ fields: ['email'], ... }`. */
function namesIn(value: unknown): unknown[] {
  return isArgs(value) ? [...Object.keys(value), ...asList(value['fields'])] : [];
}

function conditionNames(having: unknown): string[] {
  if (!isArgs(having)) return [];
  return Object.entries(having).flatMap(([name, value]) =>
    combinators.has(name) ? asList(value).flatMap((part) => conditionNames(part)) : [name],
  );
}
