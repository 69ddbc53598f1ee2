// Edits of files that people edit too: each finds its place by text that must be there exactly once, and says so when
// it is not.

/**
 * At the end of the block, before the first line after `opening` that begins with `closing`.
 * @throws Error when the opening is not there exactly once, or never closed.
 */
export function insertAtEndOf(text: string, opening: string, added: string, closing = '}'): string {
  const end = text.indexOf(`\n${closing}`, indexOfAnchor(text, opening));
  if (end === -1) throw new Error(`"${opening}" is never closed by "${closing}"`);
  return `${text.slice(0, end + 1)}${added}${text.slice(end + 1)}`;
}

/** Among the imports of our own files, which stand in the order of their paths. */
export function insertImport(text: string, names: string, path: string): string {
  const added = `import { ${names} } from '${path}';\n`;
  const imports = [...text.matchAll(/^import [^;]*? from '(.*)';\n/gm)];
  const next = imports.find(([, other = '']) => other.startsWith('.') && other > path);
  const last = imports.at(-1);
  if (last === undefined) throw new Error('there is no import to put another one beside');
  const place = next?.index ?? last.index + last[0].length;
  return `${text.slice(0, place)}${added}${text.slice(place)}`;
}

function indexOfAnchor(text: string, anchor: string): number {
  const start = text.indexOf(anchor);
  if (start === -1) throw new Error(`the place for the new lines is not found: there is no "${anchor}"`);
  if (text.includes(anchor, start + 1))
    throw new Error(`the place for the new lines is not clear: "${anchor}" is there more than once`);
  return start;
}
