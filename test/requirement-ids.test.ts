import { globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const known = JSON.parse(readFileSync('test/support/requirement-ids.json', 'utf8')) as Record<'asvs' | 'abuseCases' | 'practices', string[]>;
const files = globSync(['src/**/*.ts', 'test/**/*.ts', 'docs/**/*.md', '*.md'], { exclude: ['src/generated/**', 'test/requirement-ids.test.ts'] });

/** What is cited, by how it is cited, and the list that it has to be in. */
const citations: readonly [RegExp, keyof typeof known][] = [
  [/\[ASVS (?:v5\.0\.0-)?([\d.]+)\]/g, 'asvs'],
  [/ASVS v5\.0\.0-(\d+\.\d+\.\d+)/g, 'asvs'],
  [/\b(A\d{1,2}-\d{1,2})\b(?!-)/g, 'abuseCases'],
  [/\[practice ([\d.]+)\]/g, 'practices'],
];

describe('What tests and comments cite [practice 11.1]', () => {
  it('is a requirement of ASVS 5.0.0, an abuse case or a practice that exists', () => {
    const unknown = files.flatMap((file) => {
      const text = readFileSync(file, 'utf8');
      return citations.flatMap(([pattern, list]) =>
        [...text.matchAll(pattern)].flatMap(([cited, id = '']) => (known[list].includes(id) ? [] : [`${file}: ${cited}`])),
      );
    });
    expect(unknown).toEqual([]);
  });
});
