import ts from 'typescript';

type Literal = ts.StringLiteralLike | ts.TemplateHead | ts.TemplateMiddle | ts.TemplateTail;

export interface Source {
  readonly file: ts.SourceFile;
  /** Start and end of each comment. */
  readonly comments: readonly (readonly [number, number])[];
  readonly literals: readonly Literal[];
}

/** Tells comments and literals from code, as the compiler does: `'//'` is no comment, and `/\/*$/` begins none. */
export function readSource(path: string, source: string): Source {
  const file = ts.createSourceFile(path, source, ts.ScriptTarget.Latest, true);
  const literals: Literal[] = [];
  const opaque: (readonly [number, number])[] = [];
  const visit = (node: ts.Node): void => {
    const isText = ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node);
    if (isText) literals.push(node);
    if (isText || ts.isRegularExpressionLiteral(node)) opaque.push([node.getStart(file), node.end]);
    ts.forEachChild(node, visit);
  };
  visit(file);
  return { file, literals, comments: commentsBetween(source, opaque) };
}

/** @param opaque literals in the order in which they stand; outside of them two characters begin a comment. */
function commentsBetween(
  source: string,
  opaque: readonly (readonly [number, number])[],
): (readonly [number, number])[] {
  const comments: (readonly [number, number])[] = [];
  const begin = /\/\/[^\n]*|\/\*[\s\S]*?\*\//g;
  let next = 0;
  for (let found = begin.exec(source); found !== null; found = begin.exec(source)) {
    while (next < opaque.length && (opaque[next]?.[1] ?? 0) <= found.index) next++;
    const [start, end] = opaque[next] ?? [Infinity, Infinity];
    if (start <= found.index) begin.lastIndex = end;
    else comments.push([found.index, begin.lastIndex]);
  }
  return comments;
}
