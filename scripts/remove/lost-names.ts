import ts from 'typescript';

/** Which exports of a file are gone, and `*` for all of them. */
export type Lost = ReadonlyMap<string, ReadonlySet<string>>;

export interface Use {
  readonly line: number;
  /** The file that the name came from. */
  readonly of: string;
}

/** What a source takes from files that lose it. */
export interface LostNames {
  /** Names that it re-exports, and so loses itself. */
  readonly reExported: ReadonlySet<string>;
  readonly uses: readonly Use[];
  /** Those of them that are no declaration which could be cut: `import('./x.js')`. */
  readonly inline: readonly Use[];
  /** Declarations and specifiers to cut, and the local names that they bring. */
  readonly cuts: readonly (ts.ImportDeclaration | ts.ExportDeclaration | ts.ImportSpecifier | ts.ExportSpecifier)[];
  readonly names: ReadonlySet<string>;
}

/** @param resolve the file that a specifier in the source means. */
export function lostNamesIn(file: ts.SourceFile, lost: Lost, resolve: (specifier: string) => string): LostNames {
  const inline = inlineUses(file, lost, resolve);
  const found = { reExported: new Set<string>(), uses: [...inline], names: new Set<string>() };
  const cuts: LostNames['cuts'][number][] = [];
  for (const statement of file.statements) {
    if (!isFrom(statement)) continue;
    const of = resolve(statement.moduleSpecifier.text);
    const gone = lost.get(of);
    if (gone === undefined) continue;
    const specifiers = specifiersOf(statement);
    const cut = gone.has('*')
      ? [...specifiers]
      : specifiers.filter((each) => gone.has((each.propertyName ?? each.name).text));
    if (cut.length === 0 && !gone.has('*')) continue;
    found.uses.push({ line: file.getLineAndCharacterOfPosition(statement.getStart(file)).line + 1, of });
    if (ts.isExportDeclaration(statement)) {
      for (const { name } of cut) found.reExported.add(name.text);
      if (statement.exportClause === undefined || ts.isNamespaceExport(statement.exportClause))
        found.reExported.add('*');
    } else
      for (const name of gone.has('*') ? namesOf(statement) : cut.map((each) => each.name.text)) found.names.add(name);
    if (cut.length === specifiers.length) cuts.push(statement);
    else cuts.push(...cut);
  }
  return { ...found, inline, cuts };
}

type From = (ts.ImportDeclaration | ts.ExportDeclaration) & { readonly moduleSpecifier: ts.StringLiteral };
const isFrom = (node: ts.Statement): node is From =>
  (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) &&
  node.moduleSpecifier !== undefined &&
  ts.isStringLiteral(node.moduleSpecifier);

function specifiersOf(node: From): readonly (ts.ImportSpecifier | ts.ExportSpecifier)[] {
  const bindings = ts.isImportDeclaration(node) ? node.importClause?.namedBindings : node.exportClause;
  return bindings !== undefined && (ts.isNamedImports(bindings) || ts.isNamedExports(bindings))
    ? bindings.elements
    : [];
}

function namesOf({ importClause }: ts.ImportDeclaration): string[] {
  const bindings = importClause?.namedBindings;
  const named =
    bindings === undefined
      ? []
      : ts.isNamedImports(bindings)
        ? bindings.elements.map(({ name }) => name.text)
        : [bindings.name.text];
  return importClause?.name === undefined ? named : [importClause.name.text, ...named];
}

/** `await import('./x.js')`, and types as `import('./x.js').X`. */
function inlineUses(file: ts.SourceFile, lost: Lost, resolve: (specifier: string) => string): Use[] {
  const uses: Use[] = [];
  const visit = (node: ts.Node): void => {
    const specifier = inlineSpecifier(node);
    const of = specifier === undefined ? undefined : resolve(specifier.text);
    if (of !== undefined && lost.get(of)?.has('*') === true)
      uses.push({ line: file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1, of });
    ts.forEachChild(node, visit);
  };
  visit(file);
  return uses;
}

function inlineSpecifier(node: ts.Node): ts.StringLiteralLike | undefined {
  const given =
    ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword
      ? node.arguments[0]
      : ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)
        ? node.argument.literal
        : undefined;
  return given !== undefined && ts.isStringLiteralLike(given) ? given : undefined;
}
