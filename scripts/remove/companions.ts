import ts from 'typescript';
import { cut, lineRangeOf, withoutUnusedImports } from './registrations.ts';

/** `// With: recovery, totp.` above a test, a value or an element of a list: it goes with any of these parts. */
const marker = /^[ \t]*\/\/ With: ([a-z][a-z0-9, -]*)\.$/gm;

const inRequests = /^# With: ([a-z][a-z0-9, -]*)\.$/gm;

/** The parts that a source names so. */
export const companionsIn = (text: string): string[] =>
  [...text.matchAll(marker), ...text.matchAll(inRequests)].flatMap(([, names = '']) => names.split(', '));

/**
 * A test without what it has only because of parts that go.
 * @returns undefined when all of it goes: the marker is its first line, and the next one is empty; or no test is left.
 */
export function withoutCompanions(path: string, text: string, goes: (part: string) => boolean): string | undefined {
  const places = [...text.matchAll(marker)]
    .filter(([, names = '']) => names.split(', ').some(goes))
    .map(({ 0: line, index }) => index + line.length);
  if (places.length === 0) return text;
  if (places.some((place) => place === text.indexOf('\n') && text.startsWith('\n\n', place))) return undefined;
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const marked = places.map((place) => rangeWithComments(nodeAfter(place, file), file));
  const isGone = (node: ts.Node) => marked.some(([start, end]) => start <= node.getStart(file) && node.end <= end);
  const suites = emptied(file, isGone);
  const tests = file.statements.filter((node) => isCallOf(node, 'describe') || isCallOf(node, test));
  if (tests.length > 0 && tests.every((node) => isGone(node) || suites.includes(node))) return undefined;
  const ranges = [...marked, ...suites.map((suite) => rangeWithComments(suite, file))];
  // Two markers may stand above one thing.
  const unique = [...new Map(ranges.map((range) => [range.join(), range])).values()];
  const outermost = unique.filter(([start, end]) => unique.every(([s, e]) => s >= start || e < end));
  return withoutUnusedImports(file, cut(text, outermost));
}

/**
 * The same in a file of requests, in the lines of a request or above a variable: `# With: recovery-codes.`
 * @returns undefined when all of it goes, or no request is left.
 */
export function withoutRequests(text: string, goes: (part: string) => boolean): string | undefined {
  const isGone = (lines: string) =>
    [...lines.matchAll(inRequests)].some(([, names = '']) => names.split(', ').some(goes));
  const [head = '', ...requests] = text.split(/^(?=###)/m);
  if (isGone(/^# With: .*\n(?=\n)/.exec(head)?.[0] ?? '')) return undefined;
  const variables = head.replaceAll(/^(?:# With: .*\n)+.*\n/gm, (lines) => (isGone(lines) ? '' : lines));
  const left = requests.filter((request) => !isGone(request));
  return left.length === 0 ? undefined : [variables, ...left].join('').trimEnd().concat('\n');
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

/** The suites that lose their last test: vitest takes an empty one for a fault. */
function emptied(file: ts.SourceFile, isGone: (node: ts.Node) => boolean): ts.Node[] {
  const found: ts.Node[] = [];
  const testsIn = (node: ts.Node): ts.Node[] => {
    const own = isCallOf(node, test) ? [node] : [];
    const tests = [...own, ...children(node).flatMap(testsIn)];
    if (isCallOf(node, 'describe') && tests.length > 0 && tests.every(isGone) && !isGone(node)) found.push(node);
    return tests;
  };
  testsIn(file);
  return found;
}

const children = (node: ts.Node): ts.Node[] => {
  const found: ts.Node[] = [];
  ts.forEachChild(node, (child) => void found.push(child));
  return found;
};

/** Of the function that makes a test, or several: `itIsADocsPage()`. */
const test = 'it(?:[A-Z]\\w*)?';

/** `it(...)`, `it.each(...)(...)`: a statement that is such a call. */
const isCallOf = (node: ts.Node, name: string): boolean =>
  ts.isExpressionStatement(node) && new RegExp(String.raw`^${name}\b`).test(node.getText());

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
