import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, matchesGlob } from 'node:path';

/** What a file of tests asks for is in its name: see README. */
export const all = '{test,packages/*/test}/**/*.test.ts';
export const slow = '**/*.slow.test.ts';
export const onServersOnly = '**/*.services.test.ts';

/**
 * The files that start the service or a database: on servers the others would do the same once more. With TEST_HALF=0
 * or 1 half of those that run without servers, too.
 */
export function onServers({ TEST_HALF: half } = process.env): string[] {
  if (half !== undefined && half !== '0' && half !== '1') throw new Error('TEST_HALF is 0 or 1, or not set');
  const files = globSync(all)
    .filter((file) => reaches(file, 'test/support/profile.ts'))
    .toSorted();
  const only = (file: string) => matchesGlob(file, onServersOnly);
  const shared = files.filter((file) => !only(file));
  return half === undefined ? files : files.filter((file) => only(file) || shared.indexOf(file) % 2 === Number(half));
}

function reaches(file: string, wanted: string, seen = new Set<string>()): boolean {
  if (file === wanted) return true;
  if (seen.has(file) || file.startsWith('src/') || !existsSync(file)) return false;
  seen.add(file);
  return [...readFileSync(file, 'utf8').matchAll(/from '(\.[^']+)\.js'/g)].some(([, path]) =>
    reaches(join(dirname(file), `${path}.ts`), wanted, seen),
  );
}
