// A copy of the work tree in which mutations are applied: a run that is killed half-way leaves the sources as they are.
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { linkModules } from '../link-modules.ts';
import { patternOf, type Mutation } from './registry.ts';

const left = new Set(['.git', '.mutations', 'node_modules', 'dist', '.data', '.bench', 'coverage']);
/** Tests that start what is built: only they pay for a build. */
const started = /'(\.\/)?dist\/|scripts\/(build|generate)/;
const generators = /^(prisma\/schema\/|packages\/field-encryption\/src\/generator\/)/;

export class WorkingCopy {
  readonly directory: string;

  constructor(slot: number) {
    // Always at the same path, so that what vitest has transformed once is found again.
    this.directory = resolve('.mutations', String(slot));
    rmSync(this.directory, { recursive: true, force: true });
    mkdirSync(this.directory, { recursive: true });
    for (const entry of readdirSync('.')) {
      if (!left.has(entry)) cpSync(entry, join(this.directory, entry), { recursive: true, preserveTimestamps: true });
    }
    linkModules(this.directory);
  }

  /** The change, made until the function that is returned is called. */
  apply({ file, text, replacement }: Mutation): () => void {
    const path = join(this.directory, file);
    const source = readFileSync(path, 'utf8');
    // A function, because `$&` in a replacement is text like any other.
    writeFileSync(
      path,
      source.replace(patternOf(text), () => replacement),
    );
    if (generators.test(file)) this.markStale('src/generated');
    return () => {
      writeFileSync(path, source);
      if (!generators.test(file)) return;
      rmSync(this.path('src/generated'), { recursive: true });
      cpSync('src/generated', this.path('src/generated'), { recursive: true });
    };
  }

  /**
   * Before each run: scripts/build.ts compiles for the tests that start processes, and finds everything current for the
   * others.
   */
  prepare(tests: readonly string[], mutation: Mutation | undefined): void {
    if (mutation === undefined || !generators.test(mutation.file)) this.markCurrent('src/generated');
    if (tests.some((test) => startsProcesses(test))) this.markStale('dist');
    else this.markCurrent('dist');
  }

  private markCurrent(output: string): void {
    mkdirSync(this.path(output), { recursive: true });
    const stamp = this.path(output, '.stamp');
    writeFileSync(stamp, '');
    const tomorrow = new Date(Date.now() + 86_400_000);
    utimesSync(stamp, tomorrow, tomorrow);
  }

  private markStale(output: string): void {
    rmSync(this.path(output, '.stamp'), { force: true });
  }

  private path(...parts: readonly string[]): string {
    return join(this.directory, ...parts);
  }
}

const templates = 'node_modules/.cache/test-databases';

/**
 * Mutated migrations make databases of their own to copy from. @returns what deletes those that were not there before.
 */
export function rememberTemplates(): () => void {
  const names = (): string[] => (existsSync(templates) ? readdirSync(templates) : []);
  const before = new Set(names());
  return () => {
    for (const name of names()) if (!before.has(name)) rmSync(join(templates, name), { recursive: true, force: true });
  };
}

/** Whether a test, or a helper that it imports, names something that is built. */
function startsProcesses(test: string, seen = new Set<string>()): boolean {
  if (seen.has(test) || !existsSync(test)) return false;
  seen.add(test);
  const source = readFileSync(test, 'utf8');
  if (started.test(source)) return true;
  return [...source.matchAll(/from '(\.{1,2}\/[^']+)\.js'/g)]
    .map(([, path]) => join(dirname(test), `${path}.ts`))
    .some((path) => path.startsWith('test/') && startsProcesses(path, seen));
}
