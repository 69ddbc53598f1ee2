import { globSync, readFileSync } from 'node:fs';
import { readSource } from '../source.ts';

/** Lines of one file or of several: with code, and with nothing but a comment. Blank lines are neither. */
export interface Size {
  readonly files: number;
  readonly lines: number;
  readonly comments: number;
}

export const application = sources('src/**/*.ts');
export const packages = sources('packages/*/src/**/*.ts');
export const tests = sources(['test/**/*.ts', 'packages/*/test/**/*.ts']);

function sources(pattern: string | string[]): string[] {
  return globSync(pattern, { exclude: ['**/generated/**', '**/node_modules/**', '**/dist/**'] }).toSorted();
}

export function countFile(path: string): Size {
  const source = readFileSync(path, 'utf8');
  const { comments } = readSource(path, source);
  const blank = (text: string) => text.replaceAll(/[^\n]/g, ' ');
  const code = comments.reduceRight(
    (text, [start, end]) => text.slice(0, start) + blank(text.slice(start, end)) + text.slice(end),
    source,
  );
  const original = source.split('\n');
  const lines = code.split('\n');
  return {
    files: 1,
    lines: lines.filter((line) => line.trim() !== '').length,
    comments: lines.filter((line, index) => line.trim() === '' && original[index]?.trim() !== '').length,
  };
}

export function count(paths: readonly string[]): Size {
  return paths.map(countFile).reduce(
    (sum, size) => ({
      files: sum.files + size.files,
      lines: sum.lines + size.lines,
      comments: sum.comments + size.comments,
    }),
    { files: 0, lines: 0, comments: 0 },
  );
}
