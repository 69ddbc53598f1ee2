import { readdirSync } from 'node:fs';
import { extname } from 'node:path';
import ts from 'typescript';
import { readSource } from './source.ts';

export type CitationKind =
  | 'requirement'
  | 'abuse case'
  | 'practice'
  | 'decision'
  | 'path'
  | 'file'
  | 'folder'
  | 'script'
  | 'command'
  | 'link';

/** Something that a text names, and that has to exist. */
export interface Citation {
  readonly kind: CitationKind;
  /** `8.2.2`, `A1-5`, `API1`, `2.4`, `0012`, `src/app.ts`, `inventory`, `keys:rotate` or `../a.md#heading`. */
  readonly id: string;
  readonly line: number;
  /** Where it stands in the text of a document. */
  readonly index: number;
}

/** Between two words of a sentence, also where it goes on in the next line of a comment. */
const gap = String.raw`(?:\s|\*|//|#)+`;
const requirement = String.raw`(?!5\.0\.0)(?:v5\.0\.0-)?V?\d+(?:\.\d+){0,2}`;
const listOf = (item: string) => String.raw`${item}(?:(?:[,;]|,? and|,? to)${gap}${item})*`;
const practice = String.raw`\d{1,2}(?:\.\d{1,2})?(?!\.?\d)`;

/** Ids stand in comments, in documents and in the names of tests: the whole text is searched. */
const inAnyText: readonly [CitationKind, RegExp][] = [
  ['requirement', new RegExp(String.raw`\bASVS${gap}(${listOf(requirement)})`, 'g')],
  ['practice', new RegExp(String.raw`\b[Pp]ractices?${gap}(${listOf(practice)})`, 'g')],
  ['abuse case', /(?<![\w-])(A\d{1,2}-\d{1,2}|API\d{1,2})(?![\w-])/g],
  ['decision', new RegExp(String.raw`\b[Dd]ecisions?${gap}(\d{4})\b`, 'g')],
  ['script', /\bnpm run ([a-z][\w:-]*)/g],
];
const roots = String.raw`(?:src|test|docs|prisma|bench|scripts|deploy|packages|\.ci|\.github)/`;
const before = String.raw`(?<![\w./@*$\{}<>#-])(?<!\]\()`;
const inFolder = String.raw`[a-z][\w-]*(?:[./][\w-]+)*/[\w.-]+\.(?:ts|mjs|md|json|sql|http)`;
const folders = readdirSync('src', { withFileTypes: true }).filter((entry) => entry.isDirectory());
const inSource = String.raw`(?:${folders.map(({ name }) => name).join('|')})(?:/[a-z][\w-]*)+`;
const alone = String.raw`[a-z][\w-]*(?:\.[\w-]+)*\.(?:ts|mjs|md|prisma)`;
/** Only in prose: a literal of code may be a path of a test's own, or of a request. */
const inProse: readonly [CitationKind, RegExp][] = [
  ['path', new RegExp(String.raw`${before}(${roots}[\w./@*<>{}$-]*)`, 'g')],
  // Without its folder, or from src/ on: common/http/view.ts.
  ['file', new RegExp(String.raw`${before}(?!${roots})(${inFolder}|${alone})(?![\w*-])`, 'g')],
  ['folder', new RegExp(String.raw`${before}(${inSource})(?![\w-]|\.\w)`, 'g')],
  ['command', /(?<![\w:./-])((?:keys|users|sessions|db|audit|respond):[a-z][a-z-]*)/g],
];
const links: readonly [CitationKind, RegExp][] = [['link', /\]\(([^)\s]+)\)/g]];

/** Everything that a file cites. */
export function citationsIn(path: string, text: string): Citation[] {
  const found = find(inAnyText, text, 1);
  if (extname(path) === '.md') return [...found, ...find([...inProse, ...links], text, 1)];
  const prose = ['.ts', '.mjs'].includes(extname(path)) ? proseOf(path, text) : [{ text, line: 1 }];
  return [...found, ...prose.flatMap((part) => find(inProse, part.text, part.line))];
}

function find(patterns: readonly [CitationKind, RegExp][], text: string, firstLine: number): Citation[] {
  return patterns.flatMap(([kind, pattern]) =>
    [...text.matchAll(pattern)].flatMap(({ 1: cited = '', index }) => {
      const line = firstLine + text.slice(0, index).split('\n').length - 1;
      return idsOf(kind, cited).map((each) => ({ kind, id: each, line, index }));
    }),
  );
}

function idsOf(kind: CitationKind, cited: string): string[] {
  if (kind === 'requirement')
    return [...cited.matchAll(/(?:v5\.0\.0-)?V?(\d+(?:\.\d+)*)/g)].map(([, each = '']) => each);
  if (kind === 'practice') return cited.match(/\d+(?:\.\d+)?/g) ?? [];
  // A path with a place to fill in names many files; one that ends a sentence has a full stop too many.
  if (kind === 'path') return /[*<>{}$]/.test(cited) ? [] : [cited.replace(/[.]+$/, '')];
  return [cited];
}

/** Comments, messages of the service and of scripts, and names of tests. */
function proseOf(path: string, source: string): { text: string; line: number }[] {
  const { file, comments, literals } = readSource(path, source);
  const isTest = /^(test|bench)\//.test(path);
  const sentences = literals.filter((node) => node.text.includes(' ') && (!isTest || isTestName(node)));
  return [...comments, ...sentences.map((node) => [node.getStart(file), node.end] as const)].map(([start, end]) => ({
    text: source.slice(start, end),
    line: file.getLineAndCharacterOfPosition(start).line + 1,
  }));
}

/** Whatever else a test holds in quotes may be made up. */
const isTestName = (node: ts.Node) =>
  ts.isCallExpression(node.parent) &&
  node.parent.arguments[0] === node &&
  /^(it|describe|test)\b/.test(node.parent.expression.getText());
