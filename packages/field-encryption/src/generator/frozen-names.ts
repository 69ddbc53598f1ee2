import { readFileSync, renameSync, writeFileSync } from 'node:fs';

/** `Model.field` -> the cryptographic name that its cells were sealed under. */
export type FrozenNames = Readonly<Record<string, string>>;

const nameFormat = /^[A-Za-z][\w.-]{0,99}$/;

/** @throws Error that says how to mend the lock file. */
export function readLock(file: string): FrozenNames {
  let names: unknown;
  try {
    names = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new Error(`${file} cannot be read: restore it from version control`, { cause: error });
  }
  const values = typeof names === 'object' && names !== null ? Object.values(names) : [undefined];
  if (
    !values.every((name) => typeof name === 'string' && nameFormat.test(name)) ||
    new Set(values).size !== values.length
  ) {
    throw new Error(
      `${file}: each field needs a name of its own (letters, digits, ". _ -"): restore it from version control`,
    );
  }
  return names as FrozenNames;
}

/**
 * The lock with the new fields added under their present names. A name that a lock once gave is never given again by
 * itself.
 * @throws Error for a locked field that is gone: its cells could not be opened under another name.
 */
export function freezeNames(file: string, locked: FrozenNames, fields: readonly string[]): FrozenNames {
  const gone = Object.keys(locked).filter((field) => !fields.includes(field));
  const added = fields.filter((field) => !(field in locked));
  if (gone.length > 0) {
    const [field = ''] = gone;
    const renamed = added.length > 0 ? ` (to ${added.join(' or ')}?)` : '';
    throw new Error(
      `${file}: ${gone.join(', ')} is locked but no longer an encrypted field. Renamed${renamed}: ` +
        `rename the key in this file and keep its value "${locked[field]}", or its cells become unreadable. ` +
        'Dropped: remove the line.',
    );
  }
  const taken = new Set(Object.values(locked));
  const clash = added.find((field) => taken.has(field));
  if (clash !== undefined) {
    throw new Error(
      `${file}: the name ${clash} belongs to another field's cells: add "${clash}": "${clash}.2" to this file`,
    );
  }
  const names = { ...locked, ...Object.fromEntries(added.map((field) => [field, field])) };
  return Object.fromEntries(Object.entries(names).toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

/** Written to the side and renamed, so that a broken run leaves no half of a lock; untouched when nothing is new. */
export function writeLock(file: string, before: FrozenNames, names: FrozenNames): void {
  if (JSON.stringify(before) === JSON.stringify(names)) return;
  writeFileSync(`${file}.new`, `${JSON.stringify(names, null, 2)}\n`, { flush: true });
  renameSync(`${file}.new`, file);
}
