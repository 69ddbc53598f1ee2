import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What a file of tests asks for is in its name: see README. */
export const all = '{test,packages/*/test}/**/*.test.ts';
export const slow = '**/*.slow.test.ts';
export const onServersOnly = '**/*.services.test.ts';

/** The files that start the service or a database: on servers the others would do the same once more. */
export const onServers = (): string[] => globSync(all).filter((file) => reaches(file, 'test/support/profile.ts'));

function reaches(file: string, wanted: string, seen = new Set<string>()): boolean {
  if (file === wanted) return true;
  if (seen.has(file) || file.startsWith('src/') || !existsSync(file)) return false;
  seen.add(file);
  return [...readFileSync(file, 'utf8').matchAll(/from '(\.[^']+)\.js'/g)].some(([, path]) =>
    reaches(join(dirname(file), `${path}.ts`), wanted, seen),
  );
}
