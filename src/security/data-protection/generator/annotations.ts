import { purposeWords, type Place, type SchemaFaults } from './schema-faults.ts';

/** `/// @encrypted(...)` or `/// @blindIndex(...)` above a field. */
export type Annotation = {
  readonly model: string;
  readonly field: string;
  readonly place: Place;
} & (
  | { readonly word: 'encrypted'; readonly subject: string; readonly constant: boolean; readonly purpose: 'pii' | 'jwt' }
  | { readonly word: 'blindIndex'; readonly column: string }
);

interface Comment {
  readonly place: Place;
  readonly text: string;
}

// Prisma hands generators the comments of a field without line numbers, and says nothing of comments that belong to no field.
const behindField = /\/\/.*@(encrypted|blindIndex)\s*\(/i;
const ownLine = /^\s*\/\/\/\s*(@(?:encr|blind)\S*.*?)\s*$/i;
const twoSlashes = /^\s*\/\/(?!\/)\s*@(encr|blind)/i;
const comment = /^\s*\/\//;
const fieldLine = /^\s*([A-Za-z]\w*)\s+[A-Z]/;

/** All annotations of one schema file. What looks like one and is none becomes a fault: silence would leave data in clear. */
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
    annotations.push(...pending.flatMap((above) => parse(above, model, field, faults)));
    pending = [];
    model = /^\s*model\s+(\w+)\s*{/.exec(text)?.[1] ?? (/^\s*}/.test(text) ? undefined : model);
  });
  return annotations.concat(pending.flatMap((above) => parse(above, undefined, undefined, faults)));
}

/** Annotations that Prisma, or this reader, would not see. */
function refuseHidden(place: Place, text: string, faults: SchemaFaults): void {
  if (twoSlashes.test(text)) faults.add(place, 'has two slashes, so nothing would be encrypted', 'write three: /// @...');
  else if (!comment.test(text) && behindField.test(text)) {
    faults.add(place, 'stands behind the field', 'put it on a line of its own above the field');
  }
}

function parse({ place, text }: Comment, model: string | undefined, field: string | undefined, faults: SchemaFaults): Annotation[] {
  const [, word, list] = /^@(\w+)\s*\(([^()]*)\)$/.exec(text) ?? [];
  if (model === undefined || field === undefined) {
    faults.add(place, 'stands above no field of a model', 'put it on the line above the field');
  } else if (word === 'blindIndex') {
    if (list !== undefined && /^\s*\w+\s*$/.test(list)) return [{ model, field, place, word, column: list.trim() }];
    faults.add(place, '@blindIndex takes the name of one field', 'write /// @blindIndex(emailIndex)');
  } else if (word === 'encrypted') {
    const settings = parseSettings(place, list ?? '', faults);
    return settings === undefined ? [] : [{ model, field, place, word, ...settings }];
  } else {
    faults.add(place, `"${text}" is no annotation`, 'write /// @encrypted(subject: <field>) or /// @blindIndex(<field>)');
  }
  return [];
}

type Settings = Pick<Extract<Annotation, { word: 'encrypted' }>, 'subject' | 'constant' | 'purpose'>;

function parseSettings(place: Place, list: string, faults: SchemaFaults): Settings | undefined {
  const values = settingsOf(list);
  if (typeof values === 'string') {
    faults.add(place, `@encrypted does not know "${values}"`, 'write (subject: <field> or "<constant>", purpose: pii or jwt)');
    return undefined;
  }
  const subject = values.get('subject');
  const purpose = purposeWords.find((word) => word === (values.get('purpose') ?? 'pii'));
  if (subject === undefined) faults.add(place, '@encrypted names no subject', 'add subject: <field of the row> or "<constant>"');
  if (purpose === undefined) faults.add(place, '@encrypted has an unknown purpose', `use one of: ${purposeWords.join(', ')}`);
  if (subject === undefined || purpose === undefined) return undefined;
  const constant = subject.startsWith('"');
  return { subject: constant ? subject.slice(1, -1) : subject, constant, purpose };
}

/** Name -> value; or the item that is no setting, or is there twice. */
function settingsOf(list: string): Map<string, string> | string {
  const values = new Map<string, string>();
  for (const item of list.split(',').filter((part) => part.trim() !== '')) {
    const [, name = '', value = ''] = /^\s*(subject|purpose)\s*:\s*("[\w.:-]+"|\w+)\s*$/.exec(item) ?? [];
    if (name === '' || values.has(name)) return item.trim();
    values.set(name, value);
  }
  return values;
}
