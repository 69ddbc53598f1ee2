import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

describe('the documents (what they cite: test/citations.test.ts) [practice 11.1]', () => {
  it('the page on validation names every code that a fault can have, and no rule is without one', () => {
    const source = new Map(
      globSync('src/**/*.ts', { exclude: ['src/generated/**'] }).map((file) => [file, readFileSync(file, 'utf8')]),
    );
    const found = (pattern: RegExp, texts: Iterable<string> = source.values()) =>
      [...texts].flatMap((text) => [...text.matchAll(pattern)].map(([, name]) => name ?? ''));
    const table = [source.get(join('src', 'security', 'validation', 'input.pipe.ts')) ?? ''];
    const codes = [
      ...found(/^ {2}\w+: '([a-z-]+)',$/gm, table),
      ...found(/(?:pointer[^}]*?code: '|\bthrow denied\(\s*')([a-z-]+)',\s*(?:message|')/g),
    ];
    expect(codes).toEqual(
      expect.arrayContaining(['not-a-choice', 'unknown-field', 'unusable-cursor', 'too-common', 'role-missing']),
    );
    const page = readFileSync('docs/practices/validation.md', 'utf8');
    expect(codes.filter((code) => !page.includes(`\`${code}\``))).toEqual([]);
    const rules = found(/name: '(\w+)',\s+validator:/g);
    expect(rules).toEqual(expect.arrayContaining(['isSelection', 'hasLength']));
    expect(rules.filter((rule) => !table[0]?.includes(`\n  ${rule}: '`))).toEqual([]);
  });

  it('the README has at most 250 lines', () => {
    expect(readFileSync('README.md', 'utf8').split('\n').length).toBeLessThanOrEqual(250);
  });

  it('every practice has a page, and every page says what it does not cover', () => {
    const practices = globSync('docs/practices/*.md');
    expect(practices.length).toBeGreaterThanOrEqual(10);
    for (const page of practices)
      expect([page, /^#+ .*(not cover|not protect|limits|not done)/im.test(readFileSync(page, 'utf8'))]).toEqual([
        page,
        true,
      ]);
  });

  it('speaks of the project alone: no path of a machine in any tracked text', () => {
    const texts = globSync(
      ['*.md', '*.json', '*.ts', 'docs/**/*', '{src,test,bench,packages}/**/*.{ts,md}', 'scripts/**'],
      {
        exclude: ['**/generated/**', 'test/docs.test.ts', '**/node_modules/**'],
      },
    ).filter((file) => /\.\w+$/.test(file));
    expect(texts.filter((file) => /\/(work|home|root)\/\w/.test(readFileSync(file, 'utf8')))).toEqual([]);
  });
});
