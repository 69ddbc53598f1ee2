import type { EncryptedField, FieldMap, ModelFields } from '../field-map.js';
import { throwMisuse } from '../field-encryption.error.js';

export interface Relation {
  readonly name: string;
  readonly target: Model;
  readonly list: boolean;
  readonly holdsKey: boolean;
  /** [field of the target, field of this model] with the same value. */
  readonly links: readonly (readonly [string, string])[];
  /** True when pointing the relation elsewhere would change a row id or subject of this row. */
  readonly movesSelf: boolean;
  /** The same for the other row. */
  readonly movesOther: boolean;
}

/** A model of the schema, ready for lookups on the hot path. */
export interface Model {
  readonly name: string;
  /** Its property on the Prisma client. */
  readonly delegate: string;
  readonly id: string | null;
  readonly generatedId: boolean;
  readonly uuids: ReadonlySet<string>;
  readonly fixed: ReadonlySet<string>;
  readonly updatedAt: readonly string[];
  readonly encrypted: ReadonlyMap<string, EncryptedField>;
  readonly indexColumns: ReadonlySet<string>;
  readonly relations: ReadonlyMap<string, Relation>;
  /** Encrypted field -> what else must be read to open it: row id, subject, index. */
  readonly companions: ReadonlyMap<string, readonly string[]>;
}

export class Models {
  private readonly byName = new Map<string, Model>();

  constructor(fields: FieldMap) {
    const relations = new Map<string, Map<string, Relation>>();
    for (const [name, model] of Object.entries(fields)) {
      relations.set(name, new Map());
      this.byName.set(name, toModel(name, model, relations.get(name) ?? new Map()));
    }
    for (const [name, model] of Object.entries(fields)) {
      for (const field of Object.keys(model.relations))
        relations.get(name)?.set(field, this.toRelation(name, model, field));
    }
  }

  /** @throws FieldEncryptionError for a model that the map does not know: its fields might have to be sealed. */
  get(name: string): Model {
    return (
      this.byName.get(name) ?? throwMisuse('unknown-model', `the field map has no model ${name}: run prisma generate`)
    );
  }

  private toRelation(owner: string, { relations, fixed }: ModelFields, name: string): Relation {
    const relation = relations[name] ?? throwMisuse('unknown-model', `the field map has no relation ${owner}.${name}`);
    const target = this.get(relation.model);
    const links = Object.entries(relation.links);
    return {
      name,
      target,
      list: relation.list,
      holdsKey: relation.holdsKey,
      links,
      movesSelf: relation.holdsKey && links.some(([, own]) => fixed.includes(own)),
      movesOther: !relation.holdsKey && links.some(([other]) => target.fixed.has(other)),
    };
  }
}

function toModel(name: string, model: ModelFields, relations: ReadonlyMap<string, Relation>): Model {
  const encrypted = Object.values(model.encrypted);
  return {
    name,
    delegate: name.charAt(0).toLowerCase() + name.slice(1),
    id: model.id,
    generatedId: model.generatedId,
    uuids: new Set(model.uuids),
    fixed: new Set(model.fixed),
    updatedAt: model.updatedAt ?? [],
    encrypted: new Map(encrypted.map((field) => [field.name, field])),
    indexColumns: new Set(encrypted.flatMap(({ index }) => (index === undefined ? [] : [index.column]))),
    relations,
    companions: new Map(encrypted.map((field) => [field.name, companions(model, field)])),
  };
}

const companions = ({ id }: ModelFields, { subject, index }: EncryptedField): string[] => [
  ...new Set([id ?? [], 'field' in subject ? subject.field : [], index?.column ?? []].flat()),
];

/** Arguments of a Prisma call, which the extension gets as a deep copy and may change in place. */
export type Args = Record<string, unknown>;

/** A plain object of arguments; dates, bytes, decimals, field references and lists are values. */
export function isArgs(value: unknown): value is Args {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Prisma takes one or a list in most places. */
export const asList = (value: unknown): unknown[] =>
  Array.isArray(value) ? value : value === undefined ? [] : [value];

/** Only what also fits these conditions. */
export function narrow(where: Args, ...conditions: readonly Args[]): void {
  where['AND'] = [...asList(where['AND']), ...conditions];
}

/** Fits no row. Not `{ OR: [] }`: within AND, Prisma 7.10 takes that for everything (seen). */
export const nothing = (field: string): Args => ({ [field]: { in: [] } });
