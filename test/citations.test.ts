import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { commands } from '../src/cli/commands.js';
import { citationsIn, type Citation, type CitationKind } from '../scripts/citations.ts';

// What is cited exists: docs/requirements/ says which requirements there are, the tree which files, package.json and
// src/cli/ which commands.

const self = 'test/citations.test.ts';
const folders = ['src', 'test', 'docs', 'prisma', 'bench', 'scripts', 'deploy', 'packages', '.ci', '.github'];
const files = globSync(['*', '.*', ...folders.map((folder) => `${folder}/**/*`)], {
  exclude: ['**/node_modules/**', '**/dist/**', '**/generated/**', '**/package-lock.json'],
  withFileTypes: true,
})
  .filter(
    (entry) =>
      entry.isFile() && /\.(ts|mjs|md|json|prisma|sql|http|tmpl|ya?ml|example)$|^(run|audit)$|^\.\w+$/.test(entry.name),
  )
  .map((entry) => join(entry.parentPath, entry.name).replace(`${process.cwd()}/`, ''))
  .filter((path) => path !== self);

const read = (path: string) => readFileSync(path, 'utf8');
/** The ids in the first column of a page's tables, and which of them are planned only. */
function idsIn(page: string): { all: Set<string>; planned: string[] } {
  const rows = [...read(`docs/requirements/${page}.md`).matchAll(/^\| ([A\d][\d.-]+) \|(.*)$/gm)];
  return {
    all: new Set(rows.map(([, id = '']) => id)),
    planned: rows.flatMap(([, id = '', row = '']) => (/\(([^)]*, )?planned\)/.test(row) ? [id] : [])),
  };
}
const asvs = idsIn('asvs');
const cases = idsIn('abuse-cases');
const practices = idsIn('practices');
const risks = new Set([...read('docs/requirements/abuse-cases.md').matchAll(/^## (API\d+) /gm)].map(([, id]) => id));
const decisions = globSync('docs/decisions/*.md').map((path) => basename(path).slice(0, 4));
const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };

/** Whole, or as a chapter or section of what is there: `V8`, `V8.2`, `practice 7`. */
const isPartOf = (known: ReadonlySet<string>, id: string) =>
  known.has(id) || [...known].some((each) => each.startsWith(`${id}.`));
const exists: Record<CitationKind, (id: string, citing: string) => boolean> = {
  'requirement': (id) => isPartOf(asvs.all, id),
  'practice': (id) => isPartOf(practices.all, id),
  'abuse case': (id) => cases.all.has(id) || risks.has(id),
  'decision': (id) => decisions.includes(id),
  // What belongs to a package cites by the package's own folder too.
  'path': (path, citing) =>
    existsSync(sourceOf(path)) ||
    // A command makes these.
    /^src\/generated\b|\/node_modules\b/.test(path) ||
    // A template of the generator.
    path.includes('__name') ||
    existsSync(join(/^packages\/[^/]+/.exec(citing)?.[0] ?? '', path)),
  'file': (path) => files.some((file) => file === path || file.endsWith(`/${path}`)),
  'folder': (path) => existsSync(`src/${path}`) || existsSync(path),
  'script': (name) => scripts[name] !== undefined,
  'command': (name) => commands.some((command) => command.name === name),
  'link': linkExists,
};

/** What is built is there when its source is. */
const sourceOf = (path: string) =>
  path.replace(/^(packages\/[^/]+\/)dist\/(.*)\.js$/, (_, folder, file) => `${folder}src/${file}.ts`);

/** A page and, after `#`, one of its headings, as GitHub names them. */
function linkExists(target: string, citing: string): boolean {
  if (/^[a-z]+:/.test(target)) return true;
  const [path = '', heading] = target.split('#');
  const page = path === '' ? citing : join(dirname(citing), path);
  if (!existsSync(page)) return false;
  const headings = heading === undefined ? [] : [...read(page).matchAll(/^#+ (.*)$/gm)].map(([, text = '']) => text);
  return heading === undefined || headings.some((text) => anchorOf(text) === heading);
}
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

/** What was there once may be told of what is gone: a part that its owner removed, too. */
const mayBeGone = (path: string, kind: Citation['kind']) =>
  path === 'CHANGELOG.md' && ['path', 'file', 'folder', 'script', 'command', 'link'].includes(kind);

const wrong = (path: string, citations: readonly Citation[]) =>
  citations
    .filter(({ kind, id }) => !mayBeGone(path, kind) && !exists[kind](id, path))
    .map(({ kind, id, line }) => `${path}:${line} cites ${kind} ${id}, which does not exist`);

describe('what is cited exists [practice 11.1]', () => {
  it('every requirement, decision, path, command and link in code, tests, configuration and documents', () => {
    expect(files.length).toBeGreaterThan(200);
    expect(files.flatMap((path) => wrong(path, citationsIn(path, read(path))))).toEqual([]);
  });

  it('no test proves what is planned only: take the mark away in docs/requirements/', () => {
    const tests = files.filter((path) => /^(packages\/[^/]+\/)?test\//.test(path));
    const planned = [...cases.planned, ...practices.planned.map((id) => `practice ${id}`)];
    expect(planned.length).toBeGreaterThan(0);
    const proven = tests.flatMap((path) =>
      planned.filter((id) => read(path).includes(`[${id}]`)).map((id) => [path, id]),
    );
    expect(proven).toEqual([]);
  });

  it('the abuse cases name requirements that exist, and no number of a decision is taken twice', () => {
    const named = read('docs/requirements/abuse-cases.md').match(/\b\d+\.\d+\.\d+\b/g) ?? [];
    expect(named.filter((id) => !asvs.all.has(id))).toEqual([]);
    expect(decisions.filter((number, index) => decisions.indexOf(number) !== index)).toEqual([]);
  });

  it.each([
    ['src/a.ts', '// Why (ASVS v5.0.0-8.2.2, 99.1.1).', 'requirement 99.1.1'],
    ['src/a.ts', '/**\n * Why (ASVS\n * v5.0.0-99.1.1).\n */', 'requirement 99.1.1'],
    ['test/a.test.ts', "it('takes it: 403 [ASVS 99.1.1]', () => {});", 'requirement 99.1.1'],
    ['docs/a.md', 'Practices 2.4 and 2.99. ASVS V8.2.', 'practice 2.99'],
    ['test/a.test.ts', "it('takes it: 403 [A1-99]', () => {});", 'abuse case A1-99'],
    ['docs/a.md', 'OWASP API11', 'abuse case API11'],
    ['src/a.ts', 'const a = 1; // see decision 9999', 'decision 9999'],
    ['src/a.ts', '/** See src/gone.ts. */', 'path src/gone.ts'],
    ['src/a.ts', "throw new Error('see docs/gone.md');", 'path docs/gone.md'],
    ['src/a.ts', '/** See common/gone.ts. */', 'file common/gone.ts'],
    ['src/a.ts', '// Remove: also auth/gone.', 'folder auth/gone'],
    ['docs/a.md', '`gone.guard.ts` does it', 'file gone.guard.ts'],
    ['.oxlintrc.json', '{ "files": ["src/gone.ts"] }', 'path src/gone.ts'],
    ['src/a.ts', "throw new Error('run npm run gone');", 'script gone'],
    ['docs/a.md', 'Run `npm run cli -- keys:gone`.', 'command keys:gone'],
    ['docs/a.md', '[page](gone.md)', 'link gone.md'],
    ['docs/a.md', '[part](practices/errors.md#gone)', 'link practices/errors.md#gone'],
  ])('finds in %s: %s', (path, text, named) => {
    expect(wrong(path, citationsIn(path, text))).toEqual([
      expect.stringMatching(new RegExp(`^${path}:\\d+ cites ${named}`)),
    ]);
  });

  it('a literal that is no sentence is code, not a citation', () => {
    expect(citationsIn('test/a.test.ts', "read('src/gone.ts')")).toEqual([]);
  });
});
