import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { companionsIn, withoutCompanions, withoutRequests } from '../../scripts/remove/companions.ts';
import { withoutCitations } from '../../scripts/remove/documents.ts';
import { lostNamesIn } from '../../scripts/remove/lost-names.ts';
import { findParts, withoutAlso } from '../../scripts/remove/parts.ts';
import { Project } from '../../scripts/remove/project.ts';
import { unregister } from '../../scripts/remove/registrations.ts';

/** A source after `./gone.js` has gone. */
function withoutGone(text: string): [text: string, leftovers: readonly number[]] {
  const file = ts.createSourceFile('src/a.ts', text, ts.ScriptTarget.Latest, true);
  const lost = new Map([
    ['./gone.js', new Set(['*'])],
    ['./index.js', new Set(['Gone'])],
  ]);
  const result = unregister(
    file,
    lostNamesIn(file, lost, (specifier) => specifier),
  );
  return [result.text, result.leftovers];
}
const importGone = "import { Gone, type Other } from './gone.js';\n";
const importKept = "import { on, Kept } from './kept.js';\n";

describe('a source that lists what goes', () => {
  it.each([
    ['const list = [Kept, Gone, on];\n', 'const list = [Kept, on];\n'],
    ['const list = [\n  Kept,\n  Gone,\n  on,\n];\n', 'const list = [\n  Kept,\n  on,\n];\n'],
    ['const list = [Kept, Gone.with(1), on];\n', 'const list = [Kept, on];\n'],
    ['const list = [Kept, ...(on ? [Gone] : [])];\n', 'const list = [Kept, ];\n'],
    ['const list = [Kept, ...(on ? [Kept, Gone] : [])];\n', 'const list = [Kept, ...(on ? [Kept, ] : [])];\n'],
    ['const list = [Kept, ...Gone, on];\n', 'const list = [Kept, on];\n'],
    ['const list = [Kept, on, { provide: Gone, useValue: 1 }];\n', 'const list = [Kept, on, ];\n'],
  ])('loses the element: %s', (before, after) => {
    const used = /\bon\b/.test(after) ? importKept : "import { Kept } from './kept.js';\n";
    expect(withoutGone(importGone + importKept + before)).toEqual([used + after, []]);
  });

  it('loses a name of a file that only passes it on, and imports that nothing uses any more', () => {
    const before = `import { Gone, A } from './index.js';\n${importKept}export const l = [A, Gone.with(on, Kept)];\n`;
    expect(withoutGone(before)).toEqual(["import { A } from './index.js';\nexport const l = [A, ];\n", []]);
  });

  it('loses what it passes on, and so do those who import it from there', () => {
    const file = ts.createSourceFile(
      'src/a.ts',
      "export { Gone, type Other as More } from './gone.js';\n",
      ts.ScriptTarget.Latest,
      true,
    );
    const names = lostNamesIn(file, new Map([['./gone.js', new Set(['*'])]]), (specifier) => specifier);
    expect([[...names.reExported], unregister(file, names).text]).toEqual([['Gone', 'More'], '']);
  });

  it.each([
    'new Gone();',
    'class A extends Gone {}',
    'let a: Other;',
    'f([1], Gone);',
    'const a = { provide: 1, useClass: Gone };',
  ])('is told when it does more with it: %s', (use) => {
    expect(withoutGone(`${importGone}\n${use}\n`)[1]).toEqual([3]);
  });

  it.each(["const a = await import('./gone.js');", "let a: import('./gone.js').Gone;"])(
    'is told when it imports it inline: %s',
    (use) => {
      const file = ts.createSourceFile('src/a.ts', use, ts.ScriptTarget.Latest, true);
      expect(lostNamesIn(file, new Map([['./gone.js', new Set(['*'])]]), (specifier) => specifier).inline).toEqual([
        { line: 1, of: './gone.js' },
      ]);
    },
  );
});

describe('a test of several parts: // With: names them', () => {
  const without = (text: string) => withoutCompanions('test/a.test.ts', text, (part) => part === 'gone');

  it.each([
    ['a test, with the comment above it', '// Why.\n// With: other, gone.\nit(a, () => 1);\nit(b);\n', 'it(b);\n'],
    ['a value', '/** Why. */\n// With: gone.\nconst a = 1;\nconst b = 2;\n', 'const b = 2;\n'],
    ['a row', 'it.each([\n  // With: gone.\n  [1, 2],\n  [3, 4],\n])(a);\n', 'it.each([\n  [3, 4],\n])(a);\n'],
    ['a member', 'f({\n  // With: gone.\n  a: 1,\n  b: 2,\n});\n', 'f({\n  b: 2,\n});\n'],
    ['a line of a test', 'it(a, () => {\n  // With: gone.\n  b();\n  c();\n});\n', 'it(a, () => {\n  c();\n});\n'],
    [
      'a test inside of one that goes',
      '// With: gone.\ndescribe(a, () => {\n  // With: gone.\n  it(b);\n});\nit(c);\n',
      'it(c);\n',
    ],
    [
      'a suite with its last test',
      'describe(a, () => {\n  b();\n  // With: gone.\n  it.each([1])(b);\n});\ndescribe(c, () => {\n  it(d);\n});\n',
      'describe(c, () => {\n  it(d);\n});\n',
    ],
    ['a test with two lines above it', '// With: other.\n// With: gone.\nit(a);\nit(b);\n', 'it(b);\n'],
    [
      'nothing of a suite that has tests of a helper',
      'describe(a, () => {\n  itIsADocsPage();\n  // With: gone.\n  it(b);\n});\n',
      'describe(a, () => {\n  itIsADocsPage();\n});\n',
    ],
    ['an import that only it needs', "import { a } from 'a';\n// With: gone.\na();\nb();\n", 'b();\n'],
    ['nothing for another part', '// With: kept.\nit(a);\n', '// With: kept.\nit(a);\n'],
  ])('loses %s', (_, before, after) => expect(without(before)).toBe(after));

  it.each(['// With: gone.\n\nit(a);\n', 'const a = 1;\ndescribe(b, () => {\n  // With: gone.\n  it(a);\n});\n'])(
    'goes as a whole when its first line says so, or its last test goes: %j',
    (text) => expect(without(text)).toBeUndefined(),
  );

  it('is told where the comment stands above nothing', () => {
    expect(() => without('it(a);\n// With: gone.\n')).toThrow('test/a.test.ts:2 stands above no statement');
  });

  it('loses a request and a variable, in a file of requests', () => {
    const file = '@a = 1\n# With: gone.\n@b = 2\n\n### One\n# With: gone.\nGET /a\n\n### Two\n# With: kept.\nGET /b\n';
    expect(withoutRequests(file, (part) => part === 'gone')).toBe('@a = 1\n\n### Two\n# With: kept.\nGET /b\n');
  });

  it.each(['# With: gone.\n\n@a = 1\n\n### One\nGET /a\n', '@a = 1\n\n### One\n# With: gone.\nGET /a\n'])(
    'goes as a whole, as a file of requests: %j',
    (text) => expect(withoutRequests(text, (part) => part === 'gone')).toBeUndefined(),
  );

  it('belongs to another part as well: the opening lines of that one lose its name', () => {
    const text = '// Remove: npm run remove a; nothing.\n// Also: a.ts, gone.ts.\n// Needs: b.\nlet a;\n';
    const without = (goes: string) => withoutAlso(text, (path) => path === goes);
    expect(without('gone.ts')).toBe(text.replace(', gone.ts', ''));
    expect(without('other.ts')).toBe(text);
    expect(withoutAlso(text, () => true)).toBe(text.replace('// Also: a.ts, gone.ts.\n', ''));
  });

  it('names parts that there are', () => {
    const project = new Project();
    const names = findParts(project).map(({ name }) => name);
    const unknown = project
      .files(/^test\/.*\.ts$|^docs\/http\/.*\.http$/)
      .filter((path) => path !== 'test/remove/edits.test.ts')
      .flatMap((path) => companionsIn(project.text(path)).map((name) => `${path}: ${name}`))
      .filter((line) => !names.some((name) => line.endsWith(`: ${name}`)));
    expect(unknown).toEqual([]);
  });
});

describe('a document that cites what goes', () => {
  const without = (text: string) => withoutCitations('docs/a.md', text, ({ id }) => id.includes('gone'));

  it.each([
    [
      'a row',
      '| a | b |\n|---|---|\n| x | `src/gone.ts` |\n| y | `src/kept.ts` |\n',
      '| a | b |\n|---|---|\n| y | `src/kept.ts` |\n',
    ],
    ['an item of a list in a cell', '| [x](gone.md), [y](kept.md) | z |\n', '| [y](kept.md) | z |\n'],
    ['a sentence', 'One. See `src/gone.ts` for\nmore. Three.\n', 'One. Three.\n'],
    ['the first sentence', 'See `src/gone.ts`. Two.\n', 'Two.\n'],
    ['a lead with its sentence', 'One.\n\n**Two.** See `src/gone.ts`.\n\nThree.\n', 'One.\n\nThree.\n'],
    ['an item', '- One.\n- See [it](gone.md#a).\n- Three.\n', '- One.\n- Three.\n'],
    ['a parenthesis', 'It is so ([it](gone.md)), and stays.\n', 'It is so, and stays.\n'],
    ['a line of an example', '```sh\nls src/gone.ts\nls src/kept.ts\n```\n', '```sh\nls src/kept.ts\n```\n'],
    [
      'a heading with nothing left under it',
      '# A\n\nKept.\n\n## B\n\nSee `src/gone.ts`.\n\n## C\n\nKept.\n',
      '# A\n\nKept.\n\n## C\n\nKept.\n',
    ],
    ['a link in a heading', '# The [page](gone.md)\n\nKept.\n', '# The page\n\nKept.\n'],
  ])('loses %s', (_, before, after) => {
    expect(without(before)).toBe(after);
  });

  it('stays as it is when it cites nothing that goes, whatever its form', () => {
    const text = '#  A\n\n\n\n* `src/kept.ts`\n';
    expect(without(text)).toBe(text);
  });
});
