import type { DMMF } from '@prisma/generator-helper';
import type { Annotation, SchemaFaults } from './annotations.ts';

type Subject = Extract<Annotation, { word: 'subject' }>;

/** Holds every annotation to what the extension can do; adds a fault with line and fix for each that does not fit. */
export function checkAnnotations(
  models: readonly DMMF.Model[],
  annotations: readonly Annotation[],
  faults: SchemaFaults,
): void {
  const seen = new Set<string>();
  checkSubjects(models, annotations, faults);
  for (const annotation of annotations) {
    if (annotation.word === 'subject') continue;
    const model = models.find(({ name }) => name === annotation.model);
    const field = model?.fields.find(({ name }) => name === annotation.field);
    const key = `${annotation.word} ${annotation.model}.${annotation.field}`;
    const problem = (fault: string, fix: string) =>
      faults.add(annotation.place, `${annotation.model}.${annotation.field} ${fault}`, fix);
    if (model === undefined || field === undefined) problem('is no field of a model', 'remove the annotation');
    else if (seen.has(key)) problem(`has @${annotation.word} twice`, 'keep one');
    else if (annotation.word === 'encrypted') checkEncrypted(model, field, problem);
    else checkBlindIndex({ model, field, column: annotation.column, annotations }, problem);
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

function checkEncrypted(model: DMMF.Model, field: DMMF.Field, problem: Problem): void {
  if (!isText(field) || field.nativeType) problem('is not a plain String', 'make it String or String? without @db');
  if (field.hasDefaultValue)
    problem('has a default, which the database would write in clear', 'set it in the application');
  if (inAnyIndex(model, field.name)) {
    problem(
      'is part of an id, a unique rule or a relation',
      'cells are never equal: put the rule on a @blindIndex field',
    );
  }
  const id = model.fields.find(({ isId }) => isId);
  if (id === undefined) problem('has no row id to be bound to', 'give the model a single-field String @id');
  else if (!isIdentifier(id)) problem(`cannot be bound to ${id.name}`, 'make the @id a String, plain or @db.Uuid');
}

/** Whose row it is: whoever it is about has a key of their own, and erasure destroys it. */
function checkSubjects(models: readonly DMMF.Model[], annotations: readonly Annotation[], faults: SchemaFaults): void {
  const subjects = annotations.filter((found) => found.word === 'subject');
  subjects.forEach((found, at) => {
    const model = models.find(({ name }) => name === found.model);
    const problem = (fault: string, fix: string) => faults.add(found.place, `${found.model} ${fault}`, fix);
    if (subjects.findIndex((other) => other.model === found.model) !== at) problem('has @subject twice', 'keep one');
    else if (model !== undefined) checkSubject({ model, models, found, annotations }, problem);
  });
  for (const { model, place } of annotations.filter(({ word }) => word === 'encrypted')) {
    if (subjects.some((found) => found.model === model)) continue;
    faults.add(
      place,
      `${model} has encrypted fields, and declares no subject`,
      'write /// @subject(<field that names the person> or "<constant>") above the model',
    );
  }
}

interface Declared {
  readonly model: DMMF.Model;
  readonly models: readonly DMMF.Model[];
  readonly found: Subject;
  readonly annotations: readonly Annotation[];
}

function checkSubject({ model, models, found, annotations }: Declared, problem: Problem): void {
  const { subject, constant } = found;
  if (constant) return;
  const owner = model.fields.find(({ name }) => name === subject);
  const sealed = annotations.some((other) => other.word === 'encrypted' && other.model === model.name);
  if (owner === undefined) problem(`names the subject ${subject}, which is no field of it`, 'name a field of the row');
  else if (!isIdentifier(owner) || isEncrypted(annotations, model.name, subject) || (sealed && !owner.isRequired)) {
    problem(
      `names the subject ${subject}, which cannot tell whose it is`,
      'name a required, not encrypted String field',
    );
  } else if (sealed && !isOwnId(model, owner) && !goesWithItsSubject(model, models, { subject, annotations })) {
    // A row that outlived its subject could never be opened again, and its list would be broken for ever.
    const fix =
      "name the row's own id, or relate it (onDelete: Cascade) to a model whose subject is the id that it refers to";
    problem(`names the subject ${subject}, whose row may go before this one`, fix);
  }
}

const isOwnId = (model: DMMF.Model, { isId, name }: DMMF.Field): boolean =>
  isId && !model.fields.some(({ relationFromFields }) => relationFromFields?.includes(name));

function goesWithItsSubject(
  model: DMMF.Model,
  models: readonly DMMF.Model[],
  { subject, annotations }: { subject: string; annotations: readonly Annotation[] },
): boolean {
  return model.fields.some(({ type, relationFromFields, relationToFields, relationOnDelete }) => {
    const target = models.find(({ name }) => name === type);
    const referred = relationToFields?.[relationFromFields?.indexOf(subject) ?? -1];
    const declared = annotations.some(
      (other) => other.word === 'subject' && other.model === type && !other.constant && other.subject === referred,
    );
    return (
      declared && relationOnDelete === 'Cascade' && target?.fields.find(({ name }) => name === referred)?.isId === true
    );
  });
}

interface Index {
  readonly model: DMMF.Model;
  readonly field: DMMF.Field;
  readonly column: string;
  readonly annotations: readonly Annotation[];
}

function checkBlindIndex({ model, field, column, annotations }: Index, problem: Problem): void {
  const target = model.fields.find(({ name }) => name === column);
  const twins = annotations.filter(
    (other) => other.word === 'blindIndex' && other.model === model.name && other.column === column,
  );
  if (!isEncrypted(annotations, model.name, field.name))
    problem('has a blind index but is not encrypted', 'add /// @encrypted');
  if (target === undefined) problem(`names the index field ${column}, which is missing`, `add: ${column} String?`);
  else if (!isText(target) || target.isId || isEncrypted(annotations, model.name, column)) {
    problem(`names the index field ${column}, which cannot hold an index`, `declare it as: ${column} String?`);
  } else if (target.isRequired) {
    problem(
      `names the index field ${column}, which is required`,
      'make it String?: callers never write it, and erasure empties it',
    );
  }
  if (twins.length > 1) problem(`shares the index field ${column} with another field`, 'give each field its own');
}

const isText = (field: DMMF.Field): boolean => field.kind === 'scalar' && field.type === 'String' && !field.isList;

/** A String that comes back from the database as it was written: associated data is built from it. */
const isIdentifier = (field: DMMF.Field): boolean =>
  isText(field) && ['Uuid', 'Text', undefined].includes(field.nativeType?.[0]);

const isEncrypted = (annotations: readonly Annotation[], model: string, field: string): boolean =>
  annotations.some((other) => other.word === 'encrypted' && other.model === model && other.field === field);

const inAnyIndex = (model: DMMF.Model, field: string): boolean =>
  [...model.uniqueFields, model.primaryKey?.fields ?? []].some((fields) => fields.includes(field)) ||
  model.fields.some((other) => other.name === field && other.isUnique) ||
  model.fields.some((other) => other.relationFromFields?.includes(field));
