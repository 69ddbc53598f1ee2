import type { DMMF } from '@prisma/generator-helper';
import type { Annotation } from './annotations.ts';
import type { SchemaFaults } from './schema-faults.ts';

type Encrypted = Extract<Annotation, { word: 'encrypted' }>;
type BlindIndex = Extract<Annotation, { word: 'blindIndex' }>;

/** Holds every annotation to what the extension can do; adds a fault with line and fix for each that does not fit. */
export function checkAnnotations(models: readonly DMMF.Model[], annotations: readonly Annotation[], faults: SchemaFaults): void {
  const seen = new Set<string>();
  for (const annotation of annotations) {
    const model = models.find(({ name }) => name === annotation.model);
    const field = model?.fields.find(({ name }) => name === annotation.field);
    const key = `${annotation.word} ${annotation.model}.${annotation.field}`;
    const problem = (fault: string, fix: string) => faults.add(annotation.place, `${annotation.model}.${annotation.field} ${fault}`, fix);
    if (model === undefined || field === undefined) problem('is no field of a model', 'remove the annotation');
    else if (seen.has(key)) problem(`has @${annotation.word} twice`, 'keep one');
    else if (annotation.word === 'encrypted') checkEncrypted(model, field, annotation, annotations, problem);
    else checkBlindIndex(model, field, annotation, annotations, problem);
    seen.add(key);
  }
}

/** Fields whose documentation, as Prisma read it, has an annotation that the reading by line did not find. */
export function missedFields(models: readonly DMMF.Model[], annotations: readonly Annotation[]): string[] {
  return models.flatMap((model) =>
    model.fields
      .filter((field) => /^@(encrypted|blindIndex)\b/m.test(field.documentation ?? ''))
      .filter((field) => !annotations.some((found) => found.model === model.name && found.field === field.name))
      .map((field) => `${model.name}.${field.name}`),
  );
}

type Problem = (fault: string, fix: string) => void;

function checkEncrypted(
  model: DMMF.Model,
  field: DMMF.Field,
  annotation: Encrypted,
  annotations: readonly Annotation[],
  problem: Problem,
): void {
  if (!isText(field) || field.nativeType) problem('is not a plain String', 'make it String or String? without @db');
  if (field.hasDefaultValue) problem('has a default, which the database would write in clear', 'set it in the application');
  if (inAnyIndex(model, field.name)) {
    problem('is part of an id, a unique rule or a relation', 'cells are never equal: put the rule on a @blindIndex field');
  }
  const id = model.fields.find(({ isId }) => isId);
  if (id === undefined) problem('has no row id to be bound to', 'give the model a single-field String @id');
  else if (!isIdentifier(id)) problem(`cannot be bound to ${id.name}`, 'make the @id a String, plain or @db.Uuid');
  checkSubject(model, annotation, annotations, problem);
}

function checkSubject(model: DMMF.Model, { subject, constant }: Encrypted, annotations: readonly Annotation[], problem: Problem): void {
  if (constant) return;
  const owner = model.fields.find(({ name }) => name === subject);
  if (owner === undefined) problem(`names the subject ${subject}, which is no field of ${model.name}`, 'name a field of the row');
  else if (!isIdentifier(owner) || !owner.isRequired || isEncrypted(annotations, model.name, subject)) {
    problem(`names the subject ${subject}, which cannot tell whose it is`, 'name a required, not encrypted String field');
  }
}

function checkBlindIndex(
  model: DMMF.Model,
  field: DMMF.Field,
  { column }: BlindIndex,
  annotations: readonly Annotation[],
  problem: Problem,
): void {
  const target = model.fields.find(({ name }) => name === column);
  const twins = annotations.filter((other) => other.word === 'blindIndex' && other.model === model.name && other.column === column);
  if (!isEncrypted(annotations, model.name, field.name)) problem('has a blind index but is not encrypted', 'add /// @encrypted(...)');
  if (target === undefined) problem(`names the index field ${column}, which is missing`, `add: ${column} String?`);
  else if (!isText(target) || target.isId || isEncrypted(annotations, model.name, column)) {
    problem(`names the index field ${column}, which cannot hold an index`, `declare it as: ${column} String?`);
  } else if (target.isRequired) {
    problem(`names the index field ${column}, which is required`, 'make it String?: callers never write it, and erasure empties it');
  }
  if (twins.length > 1) problem(`shares the index field ${column} with another field`, 'give each field its own');
}

const isText = (field: DMMF.Field): boolean => field.kind === 'scalar' && field.type === 'String' && !field.isList;

/** A String that comes back from the database as it was written: associated data is built from it. */
const isIdentifier = (field: DMMF.Field): boolean => isText(field) && ['Uuid', 'Text', undefined].includes(field.nativeType?.[0]);

const isEncrypted = (annotations: readonly Annotation[], model: string, field: string): boolean =>
  annotations.some((other) => other.word === 'encrypted' && other.model === model && other.field === field);

const inAnyIndex = (model: DMMF.Model, field: string): boolean =>
  [...model.uniqueFields, model.primaryKey?.fields ?? []].some((fields) => fields.includes(field)) ||
  model.fields.some((other) => other.name === field && other.isUnique) ||
  model.fields.some((other) => other.relationFromFields?.includes(field));
