import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

// SQL as text is where injection begins (ASVS v5.0.0-1.2.4). It stands where it is looked for: in src/database/ and in
// repositories.

/** Other files, by name and reason. */
const allowed: ReadonlyMap<string, string> = new Map([
  ['src/mail/outgoing-mails.ts', 'the repository of the queue of mails'],
  ['src/security/audit/retention.ts', 'the deletion of old audit events, as the owner of the table'],
  ['src/security/audit/audit-prune.command.ts', 'asks what the role may that deletes them'],
]);
/** Text that is put together from names of the code, never from values. */
const textAllowed: ReadonlySet<string> = new Set([
  'packages/field-encryption/src/extension/column-faults.ts',
  'src/database/insertion.ts',
  'src/users/subject-rows.ts',
]);
const folders = ['src/database/', 'packages/field-encryption/src/maintenance/'];
const tagged = new Set(['$queryRaw', '$executeRaw']);
const textual = new Set(['$queryRawUnsafe', '$executeRawUnsafe', 'raw']);

interface Use {
  readonly name: string;
  readonly line: number;
}

/**
 * Every way to send SQL as text in a source: tagged templates, the unsafe forms, `Prisma.raw`, `.query(...)` of the
 * driver.
 */
function rawSqlIn(source: string, fileName = 'source.ts'): Use[] {
  const file = ts.createSourceFile(fileName, source, ts.ScriptTarget.Latest, true);
  const uses: Use[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isPropertyAccessExpression(node) || ts.isElementAccessExpression(node)) {
      const name = ts.isPropertyAccessExpression(node)
        ? node.name.text
        : ts.isStringLiteralLike(node.argumentExpression)
          ? node.argumentExpression.text
          : '';
      const isCall = ts.isCallExpression(node.parent) && node.parent.expression === node;
      const isRaw = name === 'raw' && node.expression.getText() === 'Prisma';
      if (
        tagged.has(name) ||
        (textual.has(name) && name !== 'raw') ||
        isRaw ||
        (name === 'query' && isCall && !node.expression.getText().endsWith('request'))
      ) {
        uses.push({ name, line: file.getLineAndCharacterOfPosition(node.getStart()).line + 1 });
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return uses;
}

/** @returns what a file must not hold, as `path:line name`. */
function misplaced(path: string, source: string): string[] {
  const isHome =
    folders.some((folder) => path.startsWith(folder)) ||
    path.endsWith('.repository.ts') ||
    allowed.has(path) ||
    textAllowed.has(path);
  const isDriver = path.startsWith('src/database/');
  return rawSqlIn(source, path)
    .filter(({ name }) => !isHome || (textual.has(name) && !textAllowed.has(path)) || (name === 'query' && !isDriver))
    .map(({ name, line }) => `${path}:${line} ${name}`);
}

describe('raw SQL is fenced [ASVS 1.2.4] [practice 3.1]', () => {
  const files = globSync(['src/**/*.ts', 'packages/*/src/**/*.ts']).filter(
    (path) => !path.startsWith('src/generated/'),
  );

  it('stands in src/database/ and in repositories, as tagged templates, and nowhere else', () => {
    expect(files.length).toBeGreaterThan(200);
    expect(files.flatMap((path) => misplaced(path, readFileSync(path, 'utf8')))).toEqual([]);
  });

  it('every exception is still one', () => {
    for (const path of [...allowed.keys(), ...textAllowed])
      expect([path, rawSqlIn(readFileSync(path, 'utf8'), path)]).not.toEqual([path, []]);
  });

  it.each([
    ['src/notes/notes.service.ts', 'await this.database.client.$queryRaw`SELECT 1`'],
    ['src/notes/notes.service.ts', "await client['$executeRaw']`SELECT 1`"],
    ['src/notes/notes.repository.ts', 'await client.$queryRawUnsafe(`SELECT ${title}`)'],
    ['src/notes/notes.repository.ts', 'await client.$queryRaw(Prisma.raw(title))'],
    ['src/notes/notes.repository.ts', 'await pool.query(`SELECT ${title}`)'],
    ['src/database/database.ts', 'await client.$executeRawUnsafe(text)'],
  ])('finds in %s: %s', (path, source) => {
    expect(misplaced(path, source)).not.toEqual([]);
  });
});

describe('a package works in another project', () => {
  /** What it imports from outside of its folder and of what its package.json names. */
  function foreignImports(path: string, source: string): string[] {
    const [root = ''] = /^packages\/[^/]+\//.exec(path) ?? [];
    const { dependencies, peerDependencies, devDependencies } = JSON.parse(
      readFileSync(join(root, 'package.json'), 'utf8'),
    ) as Record<string, object>;
    const known = Object.keys({ ...dependencies, ...peerDependencies, ...devDependencies });
    return ts
      .preProcessFile(source)
      .importedFiles.map(({ fileName }) => fileName)
      .filter((name) =>
        name.startsWith('.')
          ? !join(dirname(path), name).startsWith(root)
          : !name.startsWith('node:') && !known.some((each) => name === each || name.startsWith(`${each}/`)),
      );
  }

  it('imports nothing of the service', () => {
    const sources = globSync('packages/*/src/**/*.ts');
    expect(sources.length).toBeGreaterThan(20);
    expect(sources.flatMap((path) => foreignImports(path, readFileSync(path, 'utf8')))).toEqual([]);
  });

  it.each(["import '../../../../src/common/clock.js'", "const x = import('@nestjs/common')"])('finds %s', (source) => {
    expect(foreignImports('packages/field-encryption/src/cells/cell.ts', source)).toHaveLength(1);
  });
});

describe('width', () => {
  // A URL cannot be broken; the formatter keeps what is code.
  const withoutUrls = (line: string) => line.replaceAll(/https?:\/\/[^\s'"`)]{40,}/g, '');
  const wide = (text: string) =>
    text.split('\n').flatMap((line, index) => (withoutUrls(line).length > 120 ? [index + 1] : []));

  it('no line of code is wider than 120 columns: break the text, shorten the name of the test', () => {
    const sources = globSync(
      ['{src,test,bench,scripts,packages}/**/*.{ts,mjs,tmpl}', '*.{ts,mjs}', '.ci/audit', 'prisma/schema/*.prisma'],
      { exclude: ['**/generated/**', '**/node_modules/**', '**/dist/**'] },
    );
    expect(sources.length).toBeGreaterThan(400);
    const found = sources.flatMap((path) => wide(readFileSync(path, 'utf8')).map((line) => `${path}:${line}`));
    expect(found).toEqual([]);
  });

  it('finds a line of 121 characters', () => {
    expect(wide(`${'x'.repeat(120)}\n${'x'.repeat(121)}\n// https://example.org/${'x'.repeat(121)}`)).toEqual([2]);
  });
});
