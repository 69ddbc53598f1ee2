import type { DMMF } from '@prisma/generator-helper';
import type { EncryptedField, FieldMap, ModelFields, RelationField } from '../field-map.ts';
import type { Annotation } from './annotations.ts';
import type { FrozenNames } from './frozen-names.ts';

/**
 * What the extension has to know of the schema, for every model: encrypted values are reached through relations too.
 */
export function buildFieldMap(
  models: readonly DMMF.Model[],
  annotations: readonly Annotation[],
  names: FrozenNames,
): FieldMap {
  const encrypted = new Map(models.map((model) => [model.name, encryptedFields(model, annotations, names)]));
  const fixed = fixedFields(models, encrypted);
  return Object.fromEntries(
    models.map((model) => [
      model.name,
      {
        ...storedFields(model),
        ...subjectOf(model, annotations),
        fixed: [...(fixed.get(model.name) ?? [])],
        encrypted: encrypted.get(model.name) ?? {},
        relations: Object.fromEntries(
          model.fields
            .filter((field) => field.kind === 'object')
            .map((field) => [field.name, relation(models, model, field)]),
        ),
      },
    ]),
  );
}

/** What the model says by itself, without the annotations. */
function storedFields(
  model: DMMF.Model,
): Pick<ModelFields, 'table' | 'id' | 'generatedId' | 'uuids' | 'updatedAt' | 'columns' | 'types'> {
  const id = model.fields.find((field) => field.isId);
  const isForeign = model.fields.some((field) => id !== undefined && field.relationFromFields?.includes(id.name));
  const scalars = model.fields.filter((field) => field.kind !== 'object');
  return {
    table: model.dbName ?? model.name,
    id: id?.name ?? null,
    generatedId: id?.type === 'String' && !isForeign,
    uuids: scalars.filter((field) => field.nativeType?.[0] === 'Uuid' && !field.isList).map((field) => field.name),
    updatedAt: scalars.filter((field) => field.isUpdatedAt).map((field) => field.name),
    columns: Object.fromEntries(scalars.map((field) => [field.name, field.dbName ?? field.name])),
    types: Object.fromEntries(scalars.map((field) => [field.name, typeOf(field)])),
  };
}

const typeOf = ({ type, isList, isRequired, nativeType }: DMMF.Field): string =>
  `${type}${isList ? '[]' : ''}${nativeType ? ` ${nativeType[0]}` : ''}${isRequired ? '' : '?'}`;

function encryptedFields(
  model: DMMF.Model,
  annotations: readonly Annotation[],
  names: FrozenNames,
): Record<string, EncryptedField> {
  const fields: Record<string, EncryptedField> = {};
  for (const found of annotations) {
    if (found.model !== model.name || found.word !== 'encrypted') continue;
    const index = annotations.find(
      (other) => other.word === 'blindIndex' && other.model === found.model && other.field === found.field,
    );
    const column = index?.word === 'blindIndex' ? model.fields.find((field) => field.name === index.column) : undefined;
    fields[found.field] = {
      name: found.field,
      frozenName: names[`${model.name}.${found.field}`] ?? '',
      subject: subjectOf(model, annotations).subject ?? { constant: '' },
      purpose: found.purpose,
      ...(column && { index: { column: column.name, unique: column.isUnique } }),
    };
  }
  return fields;
}

function subjectOf(model: DMMF.Model, annotations: readonly Annotation[]): Pick<ModelFields, 'subject'> {
  const found = annotations.find((other) => other.word === 'subject' && other.model === model.name);
  if (found?.word !== 'subject') return {};
  return { subject: found.constant ? { constant: found.subject } : { field: found.subject } };
}

function relation(models: readonly DMMF.Model[], model: DMMF.Model, field: DMMF.Field): RelationField {
  const other = models.find(({ name }) => name === field.type);
  // A model that refers to itself has both ends of a relation: the other end is the field of another name.
  const reverse = other?.fields.find(
    (end) => end.relationName === field.relationName && (other.name !== model.name || end.name !== field.name),
  );
  const holdsKey = (field.relationFromFields?.length ?? 0) > 0;
  const own = holdsKey ? field.relationFromFields : reverse?.relationToFields;
  const others = holdsKey ? field.relationToFields : reverse?.relationFromFields;
  const links = Object.fromEntries((others ?? []).map((name, at) => [name, own?.[at] ?? '']));
  return { model: field.type, list: field.isList, holdsKey, links };
}

/** Row ids and subjects, and whatever a foreign key copies them from, until nothing is added. */
function fixedFields(
  models: readonly DMMF.Model[],
  encrypted: ReadonlyMap<string, Record<string, EncryptedField>>,
): Map<string, Set<string>> {
  const fixed = new Map(
    models.map((model) => [model.name, ownFixedFields(model, Object.values(encrypted.get(model.name) ?? {}))]),
  );
  const copies = models.flatMap((model) => model.fields.flatMap((field) => copiedFields(model, field)));
  for (let grown = true; grown;) {
    const found = copies.filter(
      ({ from, to }) => fixed.get(from.model)?.has(from.field) && !fixed.get(to.model)?.has(to.field),
    );
    for (const { to } of found) fixed.get(to.model)?.add(to.field);
    grown = found.length > 0;
  }
  return fixed;
}

function ownFixedFields(model: DMMF.Model, encrypted: readonly EncryptedField[]): Set<string> {
  if (encrypted.length === 0) return new Set();
  const ids = model.fields.filter((field) => field.isId).map((field) => field.name);
  return new Set([...ids, ...encrypted.flatMap(({ subject }) => ('field' in subject ? [subject.field] : []))]);
}

/** Which field of which model a foreign key is a copy of. */
const copiedFields = (model: DMMF.Model, { type, relationFromFields, relationToFields }: DMMF.Field) =>
  (relationFromFields ?? []).map((field, at) => ({
    from: { model: model.name, field },
    to: { model: type, field: relationToFields?.[at] ?? '' },
  }));
