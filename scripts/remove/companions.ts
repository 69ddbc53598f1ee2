import ts from 'typescript';
import { cut, lineRangeOf, withoutUnusedImports } from './registrations.ts';

/** `// With: recovery, totp.` above a test, a value or an element of a list: it goes with any of these parts. */
const marker = /^[ \t]*\/\/ With: ([a-z][a-z0-9, -]*)\.$/gm;

/** The parts that a source names so. */
export const companionsIn = (text: string): string[] =>
  [...text.matchAll(marker)].flatMap(([, names = '']) => names.split(', '));

/**
 * A test without what it has only because of parts that go.
 * @returns undefined when all of it goes: the marker is its first line, and the next one is empty.
 */
export function withoutCompanions(path: string, text: string, goes: (part: string) => boolean): string | undefined {
  const places = [...text.matchAll(marker)]
    .filter(([, names = '']) => names.split(', ').some(goes))
    .map(({ 0: line, index }) => index + line.length);
  if (places.length === 0) return text;
  if (places.some((place) => place === text.indexOf('\n') && text.startsWith('\n\n', place))) return undefined;
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const ranges = places.map((place) => rangeWithComments(nodeAfter(place, file), file));
  const outermost = ranges.filter(([start, end]) => ranges.every(([s, e]) => s >= start || e < end));
  return withoutUnusedImports(file, cut(text, outermost));
}

/** What the marker stands above. @throws Error when that is nothing that can go by itself. */
function nodeAfter(place: number, file: ts.SourceFile): ts.Node {
  let found: ts.Node | undefined;
  const visit = (node: ts.Node): void => {
    const isNext = node.getFullStart() <= place && place <= node.getStart(file);
    if (isNext && isWhole(node)) found ??= node;
    else if (node.getFullStart() <= place && place < node.end) ts.forEachChild(node, visit);
  };
  visit(file);
  if (found !== undefined) return found;
  const line = file.getLineAndCharacterOfPosition(place).line + 1;
  throw new Error(`${file.fileName}:${line} stands above no statement, member or element of a list`);
}

const isWhole = (node: ts.Node): boolean =>
  ts.isStatement(node) ||
  ts.isObjectLiteralElement(node) ||
  ts.isClassElement(node) ||
  ts.isTypeElement(node) ||
  (node.parent !== undefined && ts.isArrayLiteralExpression(node.parent));

/** With all comments that stand directly above it. */
function rangeWithComments(node: ts.Node, file: ts.SourceFile): readonly [number, number] {
  const [start, end] = lineRangeOf(node, file);
  const above = file.text.slice(0, start).split('\n').slice(0, -1);
  const first = above.findLastIndex((line) => !/^\s*(?:\/\/|\/?\*)/.test(line)) + 1;
  return [above.slice(0, first).reduce((sum, line) => sum + line.length + 1, 0), end];
}
