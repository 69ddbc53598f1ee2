import { globSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { faultsOf, readRegistry, rotation } from '../../scripts/mutate/registry.ts';

/** The smallest service has as many. */
const minMutations = 150;
const mutations = readRegistry();

/** Practices and features; the folders of what only carries them are not asked for. */
const folders = (): string[] =>
  globSync(['src/security/*', 'src/auth/*', 'src/{egress,idempotency,invitations,mail,resources,users}'])
    .filter((path) => !path.endsWith('.ts'))
    .toSorted();
const hasMutation = (path: string): boolean => mutations.some(({ file }) => file.startsWith(`${path}/`));

describe('The registry of mutations: controls whose removal a test must notice', () => {
  it('names each once, and each fits the source: its file and tests exist, its text stands once', () => {
    const names = mutations.map(({ name }) => name);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
    expect(mutations.flatMap(faultsOf)).toEqual([]);
  });

  it(`holds at least ${minMutations} that were seen to be noticed`, () => {
    expect(mutations.filter(({ unseen }) => unseen !== true).length).toBeGreaterThanOrEqual(minMutations);
  });

  it('has one for every practice and feature', () => {
    expect(folders().filter((folder) => !hasMutation(folder))).toEqual([]);
  });

  it('refuses an entry that would prove nothing: text that is gone or stands twice, a test that is not there', () => {
    const sound = {
      name: 'sound',
      file: 'package.json',
      text: '"license"',
      replacement: '',
      tests: ['test/docs.test.ts'],
    };
    expect(faultsOf(sound)).toEqual([]);
    expect(faultsOf({ ...sound, text: 'no such text' })).toEqual([
      'sound: its text stands 0 times in package.json, not once',
    ]);
    expect(faultsOf({ ...sound, text: '": "' })[0]).toMatch(/stands \d\d+ times/);
    expect(faultsOf({ ...sound, file: 'src/gone.ts', tests: ['test/gone.test.ts'] })).toHaveLength(2);
    expect(faultsOf({ ...sound, replacement: sound.text })).toHaveLength(1);
  });

  it('comes round: a number of days with a dozen each runs every one', () => {
    const size = 12;
    const day = (index: number) => new Date(Date.UTC(2030, 0, 1 + index));
    const days = Math.ceil(mutations.length / size);
    const ran = new Set(Array.from({ length: days }, (_, index) => rotation(mutations, size, day(index))).flat());
    expect(mutations.filter((mutation) => !ran.has(mutation))).toEqual([]);
    expect(rotation(mutations.slice(0, 3), size, day(0))).toHaveLength(3);
  });
});
