import { globSync, readFileSync } from 'node:fs';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

// Outbound HTTP that goes around src/egress/ has none of its bounds (ASVS v5.0.0-13.2.4). Also a rule of oxlint, which
// an editor shows at once; this one sees what that one does not: other names for it, and imports that are computed.

/** What begins connections, by module. */
const ways: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['http', new Set(['request', 'get', 'Agent', 'globalAgent', 'ClientRequest'])],
  ['https', new Set(['request', 'get', 'Agent', 'globalAgent'])],
  ['http2', new Set(['connect'])],
  ['net', new Set(['connect', 'createConnection', 'Socket'])],
  ['tls', new Set(['connect', 'TLSSocket'])],
  ['dgram', new Set(['createSocket', 'Socket'])],
]);
/** Packages that are clients, and nothing else. */
const clients = /^(undici|axios|got|ky|node-fetch|superagent|request|ws|cross-fetch|@smithy\/.*http.*)(\/|$)/;
const globals = new Set(['fetch', 'WebSocket', 'EventSource', 'XMLHttpRequest']);

/** Other files, by name and reason. */
const allowed: ReadonlyMap<string, string> = new Map([
  ['src/egress/egress-client.ts', 'the client'],
  // With: vault-transit.
  [
    'packages/field-encryption/src/key-wrappers/vault-transit.ts',
    'for projects without one; the service gives its own',
  ],
  ['src/common/life-sign.ts', 'a socket of this machine tells whether another process lives'],
  ['src/shared-state/redis-connection.ts', 'the link to Redis, checked like that to the database'],
]);

const moduleOf = (specifier: string): string => specifier.replace(/^node:/, '').replace(/^(_\w+)$/, '$1');

function waysIn(path: string, source: string): string[] {
  const file = ts.createSourceFile(path, source, ts.ScriptTarget.Latest, true);
  const found: string[] = [];
  const check = (specifier: string, names: readonly string[] | 'all'): void => {
    const known = ways.get(moduleOf(specifier));
    if (clients.test(specifier)) found.push(specifier);
    for (const name of known === undefined ? [] : names === 'all' ? ['*'] : names)
      if (name === '*' || known?.has(name) === true) found.push(`${specifier} ${name}`);
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
      const { importClause: clause } = node;
      if (clause !== undefined && clause.phaseModifier !== ts.SyntaxKind.TypeKeyword)
        check(node.moduleSpecifier.text, importedNames(clause));
    } else if (ts.isCallExpression(node) && isLoad(node)) {
      const [argument] = node.arguments;
      // What is computed may be anything.
      if (argument === undefined || !ts.isStringLiteralLike(argument)) found.push('import of a computed name');
      else check(argument.text, 'all');
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined && !node.isTypeOnly) {
      check((node.moduleSpecifier as ts.StringLiteral).text, 'all');
    } else if (ts.isIdentifier(node) && globals.has(node.text) && isGlobal(node)) {
      found.push(node.text);
    } else if (ts.isStringLiteralLike(node) && globals.has(node.text) && ts.isElementAccessExpression(node.parent)) {
      found.push(node.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

/** The names in the module, whatever they are called here; `*` for all of it. */
function importedNames({ name, namedBindings }: ts.ImportClause): string[] | 'all' {
  if (name !== undefined || namedBindings === undefined || ts.isNamespaceImport(namedBindings)) return 'all';
  return namedBindings.elements
    .filter(({ isTypeOnly }) => !isTypeOnly)
    .map((element) => (element.propertyName ?? element.name).text)
    .map((imported) => (imported === 'default' ? '*' : imported));
}

const loaders = new Set(['require', 'getBuiltinModule', 'createRequire']);

const isLoad = ({ expression }: ts.CallExpression): boolean =>
  expression.kind === ts.SyntaxKind.ImportKeyword ||
  (ts.isIdentifier(expression) && expression.text === 'require') ||
  (ts.isPropertyAccessExpression(expression) &&
    loaders.has(expression.name.text) &&
    expression.name.text !== 'require');

/** A use of the global, bare or by `globalThis`: no type, no method of that name, no property of something else. */
function isGlobal({ parent, text }: ts.Identifier): boolean {
  if (ts.isTypeNode(parent) || ts.isTypeQueryNode(parent) || ts.isTypeReferenceNode(parent)) return false;
  if (ts.isPropertyAccessExpression(parent) && parent.name.text === text)
    return ['globalThis', 'global', 'self', 'window'].includes(parent.expression.getText());
  const isName = ts.isPropertySignature(parent) || ts.isMethodDeclaration(parent) || ts.isPropertyAssignment(parent);
  return !(isName && parent.name.getText() === text);
}

describe('src/egress/ is the only way out [ASVS 13.2.4] [A7-1]', () => {
  const files = globSync(['src/**/*.ts', 'packages/*/src/**/*.ts']).filter(
    (path) => !path.startsWith('src/generated/'),
  );

  it('no other file begins connections', () => {
    expect(files.length).toBeGreaterThan(200);
    const found = files
      .filter((path) => !allowed.has(path))
      .flatMap((path) => waysIn(path, readFileSync(path, 'utf8')).map((way) => `${path}: ${way}`));
    expect(found).toEqual([]);
  });

  it('every exception is still one', () => {
    for (const path of allowed.keys()) expect([path, waysIn(path, readFileSync(path, 'utf8'))]).not.toEqual([path, []]);
  });

  it.each([
    "const answer = await fetch('https://example.org')",
    'await globalThis.fetch(url)',
    "await globalThis['fetch'](url)",
    'const ask = fetch',
    'new WebSocket(url)',
    'new EventSource(url)',
    "import { fetch } from 'undici'",
    "import { request } from 'undici'",
    "import axios from 'axios'",
    "import { request } from 'node:https'",
    "import { request as ask } from 'node:http'",
    "import { get } from 'http'",
    "import https from 'node:https'",
    "import { default as https } from 'node:https'",
    "import * as https from 'https'",
    "const https = await import('node:https')",
    "const { request } = require('node:http')",
    "process.getBuiltinModule('node:https').request(url)",
    'await import(name)',
    "export { request } from 'node:https'",
    "import { connect } from 'node:net'",
    "import { connect } from 'node:tls'",
    "import { connect } from 'node:http2'",
    "import { createSocket } from 'node:dgram'",
  ])('finds: %s', (source) => expect(waysIn('src/notes/notes.service.ts', source)).not.toEqual([]));

  it.each([
    "import type { IncomingMessage } from 'node:http'",
    "import { createServer, type Server } from 'node:http'",
    "import { isIP } from 'node:net'",
    'const client = { fetch: 1 }; client.fetch',
    'type F = typeof fetch',
  ])('does not mind: %s', (source) => expect(waysIn('src/notes/notes.service.ts', source)).toEqual([]));
});
