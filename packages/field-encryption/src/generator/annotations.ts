/**
 * `/// @encrypted` or `/// @blindIndex(...)` above a field, `/// @subject(...)` above a model, whose `field` is empty.
 */
export type Annotation = {
  readonly model: string;
  readonly field: string;
  readonly place: Place;
} & (
  | { readonly word: 'encrypted'; readonly purpose: 'pii' | 'jwt' }
  | { readonly word: 'blindIndex'; readonly column: string }
  | ({ readonly word: 'subject' } & DeclaredSubject)
);

export interface DeclaredSubject {
  /** A field of the row, or the constant itself. */
  readonly subject: string;
  readonly constant: boolean;
}

interface Comment {
  readonly place: Place;
  readonly text: string;
}

// Prisma hands generators the comments of a field without line numbers, and says nothing of comments that belong to no
// field.
const behindField = /\/\/.*@(encrypted|blindIndex|subject)\b/i;
const ownLine = /^\s*\/\/\/\s*(@(?:encr|blind|subj)\S*.*?)\s*$/i;
const twoSlashes = /^\s*\/\/(?!\/)\s*@(encr|blind|subj)/i;
const comment = /^\s*\/\//;
const fieldLine = /^\s*([A-Za-z]\w*)\s+[A-Z]/;

/**
 * All annotations of one schema file. What looks like one and is none becomes a fault: silence would leave data in
 * clear.
 */
export function readAnnotations(file: string, schema: string, faults: SchemaFaults): Annotation[] {
  const annotations: Annotation[] = [];
  let model: string | undefined;
  let pending: Comment[] = [];
  schema.split(/\r?\n/).forEach((text, index) => {
    const place = { file, line: index + 1 };
    const found = ownLine.exec(text)?.[1];
    if (found !== undefined) pending.push({ place, text: found });
    else refuseHidden(place, text, faults);
    if (comment.test(text)) return;
    const field = model === undefined ? undefined : fieldLine.exec(text)?.[1];
    const begun = /^\s*model\s+(\w+)\s*{/.exec(text)?.[1];
    annotations.push(...pending.flatMap((above) => parse(above, { model, field, begun }, faults)));
    pending = [];
    model = begun ?? (/^\s*}/.test(text) ? undefined : model);
  });
  return annotations.concat(pending.flatMap((above) => parse(above, {}, faults)));
}

/** What stands below an annotation: a field of a model, or the first line of a model. */
interface Below {
  readonly model?: string | undefined;
  readonly field?: string | undefined;
  readonly begun?: string | undefined;
}

/** Annotations that Prisma, or this reader, would not see. */
function refuseHidden(place: Place, text: string, faults: SchemaFaults): void {
  if (twoSlashes.test(text))
    faults.add(place, 'has two slashes, so nothing would be encrypted', 'write three: /// @...');
  else if (!comment.test(text) && behindField.test(text)) {
    faults.add(place, 'stands behind the field', 'put it on a line of its own above the field');
  }
}

function parse({ place, text }: Comment, below: Below, faults: SchemaFaults): Annotation[] {
  const { model, field } = below;
  const [, word, list] = /^@(\w+)(?:\s*\(([^()]*)\))?$/.exec(text) ?? [];
  if (word === 'subject') return parseSubject(place, list, { begun: below.begun, faults });
  if (model === undefined || field === undefined) {
    faults.add(place, 'stands above no field of a model', 'put it on the line above the field');
  } else if (word === 'blindIndex') {
    if (list !== undefined && /^\s*\w+\s*$/.test(list)) return [{ model, field, place, word, column: list.trim() }];
    faults.add(place, '@blindIndex takes the name of one field', 'write /// @blindIndex(emailIndex)');
  } else if (word === 'encrypted') {
    const purpose = parsePurpose(place, list, faults);
    return purpose === undefined ? [] : [{ model, field, place, word, purpose }];
  } else {
    faults.add(
      place,
      `"${text}" is no annotation`,
      'write /// @encrypted or /// @blindIndex(<field>) above a field, /// @subject(<field>) above a model',
    );
  }
  return [];
}

function parseSubject(
  place: Place,
  list: string | undefined,
  { begun, faults }: Pick<Below, 'begun'> & { faults: SchemaFaults },
): Annotation[] {
  const [, constant, name] = /^\s*(?:"([\w.:-]+)"|(\w+))\s*$/.exec(list ?? '') ?? [];
  const subject = constant ?? name;
  if (begun === undefined)
    faults.add(place, '@subject stands above no model', 'put it on a line of its own above "model"');
  else if (subject === undefined)
    faults.add(place, '@subject names nobody', 'write (<field of the row>) or ("<constant>")');
  else return [{ model: begun, field: '', place, word: 'subject', subject, constant: constant !== undefined }];
  return [];
}

function parsePurpose(
  place: Place,
  list: string | undefined,
  faults: SchemaFaults,
): (typeof purposeWords)[number] | undefined {
  if (list === undefined) return 'pii';
  const [, value] = /^\s*purpose\s*:\s*(\w+)\s*$/.exec(list) ?? [];
  const purpose = purposeWords.find((word) => word === value);
  if (/\bsubject\b/.test(list))
    faults.add(
      place,
      '@encrypted names a subject',
      'name it once, above the model: /// @subject(<field> or "<constant>")',
    );
  else if (value === undefined)
    faults.add(place, `@encrypted does not know "${list.trim()}"`, 'write nothing, or (purpose: pii or jwt)');
  else if (purpose === undefined)
    faults.add(place, '@encrypted has an unknown purpose', `use one of: ${purposeWords.join(', ')}`);
  else return purpose;
  return undefined;
}

export const purposeWords = ['pii', 'jwt'] as const;

/** A line of a schema file, from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
}

/** Every fault of the annotations at once, each with its line and the fix. */
export class SchemaFaults {
  private readonly faults: { readonly place: Place; readonly text: string }[] = [];

  get none(): boolean {
    return this.faults.length === 0;
  }

  add(place: Place, fault: string, fix: string): void {
    this.faults.push({ place, text: `${place.file}:${place.line}: ${fault}: ${fix}` });
  }

  /** @throws Error with all faults, in the order of their lines. */
  throwIfAny(): void {
    if (this.none) return;
    const inOrder = this.faults.toSorted((one, other) => one.place.line - other.place.line);
    throw new Error(`field encryption: the schema is not accepted\n${inOrder.map(({ text }) => text).join('\n')}`);
  }
}
