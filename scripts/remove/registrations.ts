import ts from 'typescript';
import type { LostNames } from './lost-names.ts';

/** A source without the names that it loses. */
export interface Unregistered {
  readonly text: string;
  /** Lines that do more with a name than to list it. */
  readonly leftovers: readonly number[];
}

/**
 * Takes names out of a source that only lists them: `imports: [X, Y.with(config), ...(isOn ? [Z] : [])]`, and with them
 * the imports that nothing else in the source uses.
 */
export function unregister(file: ts.SourceFile, { cuts, names }: Pick<LostNames, 'cuts' | 'names'>): Unregistered {
  const elements = new Set<ts.Expression>();
  const leftovers = new Set<number>();
  for (const use of identifiersIn(file)) {
    if (!names.has(use.text) || isDeclared(use)) continue;
    const element = elementOf(use);
    if (element === undefined) leftovers.add(file.getLineAndCharacterOfPosition(use.getStart(file)).line + 1);
    else elements.add(element);
  }
  const emptied = withEmptied(elements);
  const ranges = [...cuts, ...emptied].map((node) => lineRangeOf(node, file));
  const remaining = cut(file.text, ranges);
  return { text: withoutUnusedImports(file, remaining), leftovers: [...leftovers] };
}

function identifiersIn(file: ts.SourceFile): ts.Identifier[] {
  const found: ts.Identifier[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node)) found.push(node);
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

/** The name where it is imported, or a property that happens to be called alike. */
const isDeclared = ({ parent }: ts.Identifier): boolean =>
  ts.isImportSpecifier(parent) ||
  ts.isImportClause(parent) ||
  ts.isNamespaceImport(parent) ||
  ts.isExportSpecifier(parent);

/** The element of a list that is nothing but the name: `X`, `X.with(config)`, `{ provide: X, ... }`. */
function elementOf(use: ts.Identifier): ts.Expression | undefined {
  let node: ts.Expression = use;
  for (;;) {
    const parent: ts.Node = node.parent;
    if (ts.isArrayLiteralExpression(parent)) return node;
    const isRoot =
      ((ts.isPropertyAccessExpression(parent) || ts.isCallExpression(parent)) && parent.expression === node) ||
      (ts.isSpreadElement(parent) && parent.expression === node);
    if (isRoot) node = parent;
    else if (ts.isPropertyAssignment(parent) && parent.name.getText() === 'provide') node = parent.parent;
    else return undefined;
  }
}

/** `...(isOn ? [] : [])` goes when the lists in it are empty. */
function withEmptied(elements: ReadonlySet<ts.Expression>): Set<ts.Expression> {
  const all = new Set(elements);
  const isEmpty = (node: ts.Expression): boolean =>
    ts.isArrayLiteralExpression(node) && node.elements.every((element) => all.has(element));
  for (const element of elements) {
    const spread = spreadAround(element);
    if (spread === undefined) continue;
    const inner = ts.isParenthesizedExpression(spread.expression) ? spread.expression.expression : spread.expression;
    if (!ts.isConditionalExpression(inner) || !isEmpty(inner.whenTrue) || !isEmpty(inner.whenFalse)) continue;
    for (const list of [inner.whenTrue, inner.whenFalse])
      if (ts.isArrayLiteralExpression(list)) for (const each of list.elements) all.delete(each);
    all.add(spread);
  }
  return all;
}

function spreadAround(element: ts.Expression): ts.SpreadElement | undefined {
  let node: ts.Node = element.parent.parent;
  while (ts.isConditionalExpression(node) || ts.isParenthesizedExpression(node)) node = node.parent;
  return ts.isSpreadElement(node) ? node : undefined;
}

type Range = readonly [start: number, end: number];

/** With the comma behind it; with the whole line when nothing else stands there. */
export function lineRangeOf(node: ts.Node, file: ts.SourceFile): Range {
  const { text } = file;
  const start = node.getStart(file);
  const end = node.end + (/^\s*,[ ]?/.exec(text.slice(node.end))?.[0].length ?? 0);
  const lineStart = text.lastIndexOf('\n', start - 1) + 1;
  const rest = /^[ \t]*\n/.exec(text.slice(end))?.[0].length;
  return rest !== undefined && text.slice(lineStart, start).trim() === '' ? [lineStart, end + rest] : [start, end];
}

export const cut = (text: string, ranges: readonly Range[]): string =>
  ranges
    .toSorted(([one], [other]) => other - one)
    .reduce((rest, [start, end]) => `${rest.slice(0, start)}${rest.slice(end)}`, text);

/** Imports that were used before, and are not any more. */
export function withoutUnusedImports(before: ts.SourceFile, text: string): string {
  const file = ts.createSourceFile(before.fileName, text, ts.ScriptTarget.Latest, true);
  const used = new Set(identifiersIn(file).flatMap((use) => (isDeclared(use) ? [] : use.text)));
  const specifiers = file.statements.flatMap((statement): readonly ts.Node[] => {
    const bindings = ts.isImportDeclaration(statement) ? statement.importClause?.namedBindings : undefined;
    if (bindings === undefined || !ts.isNamedImports(bindings)) return [];
    const unused = bindings.elements.filter(({ name }) => !used.has(name.text));
    return unused.length > 0 && unused.length === bindings.elements.length ? [statement] : unused;
  });
  return cut(
    text,
    specifiers.map((node) => lineRangeOf(node, file)),
  );
}
