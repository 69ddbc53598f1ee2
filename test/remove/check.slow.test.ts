import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { check, divisions, rotated, type Trial } from '../../scripts/remove/check.ts';
import { Copy } from '../../scripts/remove/copy.ts';
import type { Part } from '../../scripts/remove/parts.ts';
import { Project } from '../../scripts/remove/project.ts';

const trial = (name: string, isTested = false): Trial => ({ name, isTested, parts: [{ name } as Part] });
const day = (index: number) => new Date(index * 86_400_000);

describe('which removals are tried', () => {
  const all = [...['a', 'b', 'c', 'd', 'e'].map((name) => trial(name)), trial('all', true)];
  const triedOn = (index: number, count: number) => rotated(all, count, day(index)).map(({ name }) => name);

  it('other ones each day, and each in turn; the removal of everything always', () => {
    expect([0, 1, 2].map((index) => triedOn(index, 3))).toEqual([
      ['a', 'b', 'c', 'all'],
      ['a', 'd', 'e', 'all'],
      ['b', 'c', 'd', 'all'],
    ]);
    expect(triedOn(0, 0)).toEqual(['all']);
    expect(triedOn(7, 9)).toEqual(all.map(({ name }) => name));
  });
});

describe('removals of halves', () => {
  // d needs a, b and c, whose numbers differ in every digit from one another; f needs d.
  const all = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
  const needs: Readonly<Record<string, string>> = { d: 'abc', f: 'abcd' };
  const takes = (part: string) => new Set(all.filter((other) => other === part || needs[other]?.includes(part)));

  it('each part is away once while any other one is there that can be without it', () => {
    const trials = divisions(all, takes).flat();
    const isParted = (away: string, there: string) =>
      trials.some((gone) => gone.includes(away) && !gone.includes(there));
    const pairs = all.flatMap((away) => all.filter((there) => !takes(away).has(there)).map((there) => [away, there]));
    expect(pairs.filter(([away = '', there = '']) => !isParted(away, there))).toEqual([]);
  });

  it('whatever needs what goes, goes too; no removal is empty, and nothing to remove is no removal', () => {
    for (const gone of divisions(all, takes).flat()) {
      expect(gone).not.toEqual([]);
      for (const part of gone) expect([...takes(part)].filter((other) => !gone.includes(other))).toEqual([]);
    }
    expect([divisions([], takes), divisions(['e'], takes).flat()]).toEqual([[], []]);
  });
});

describe('a removal that is tried in a copy', () => {
  const files = new Project().files();
  let copy: Copy;

  beforeAll(() => {
    copy = new Copy(files);
  });
  afterAll(() => copy.delete());

  it('leaves the copy as it was for the next one', () => {
    const at = (path: string) => join(copy.directory, path);
    writeFileSync(at('README.md'), 'edited');
    writeFileSync(at('src/left-behind.ts'), '');
    rmSync(at('src/users'), { recursive: true });
    copy.reset();
    expect(readFileSync(at('README.md'), 'utf8')).toBe(readFileSync('README.md', 'utf8'));
    expect(existsSync(at('src/left-behind.ts'))).toBe(false);
    expect(readFileSync(at('src/users/users.module.ts'), 'utf8')).toBe(
      readFileSync('src/users/users.module.ts', 'utf8'),
    );
  });

  it('fails: it is named with its step, counted, and the whole fails', async () => {
    let printed = '';
    expect(await check([trial('nothing-of-that-name')], files, (text) => void (printed += text))).toBe(false);
    expect(printed).toMatch(/FAILED at removal, types and inventory \(\d+ s\) +without nothing-of-that-name/);
    expect(printed).toContain('there is no part "nothing-of-that-name"');
    expect(printed).toMatch(/^ Tests {2}1 failed \| 0 passed \(1\)/m);
  });
});
