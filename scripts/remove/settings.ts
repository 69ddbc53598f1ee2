import { matchesGlob } from 'node:path';
import { patternOf, type Mutation } from '../mutate/registry.ts';
import { entriesOf, type Project } from './project.ts';

type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
interface Manifest {
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const kinds = ['dependencies', 'devDependencies', 'optionalDependencies'] as const;
const configurations = ['knip.json', '.oxlintrc.json', '.oxfmtrc.json', 'tsconfig.json', 'tsconfig.build.json'];
/** Of what is built: the folder of its sources. */
const sourcesOf: Readonly<Record<string, string>> = { 'dist': 'src', '.bench/bench': 'bench' };

const written = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/**
 * Scripts of package.json that start what goes, packages that nothing else uses, and paths and packages in the
 * configuration of the tools.
 * @returns the names of the packages.
 */
export function editSettings(project: Project, gone: ReadonlySet<string>): string[] {
  const manifest = JSON.parse(project.text('package.json')) as Manifest;
  const unused = unusedPackages(project, manifest, gone);
  const isStarting = (command: string) =>
    [...command.matchAll(/(\bdist|\.bench\/bench|\bscripts)\/([\w/.-]+)\.[jt]s\b/g)].some(([, folder = '', path]) =>
      gone.has(`${sourcesOf[folder] ?? folder}/${path}.ts`),
    );
  const scripts = Object.entries(manifest.scripts).filter(([, command]) => !isStarting(command));
  if (unused.length > 0 || scripts.length < Object.keys(manifest.scripts).length)
    project.changes.edit('package.json', () =>
      written({ ...manifest, scripts: Object.fromEntries(scripts), ...without(manifest, unused) }),
    );
  const packages = project.files(/^packages\/[^/]+\/package\.json$/);
  for (const path of configurations.filter((file) => project.has(file)))
    editConfiguration(project, path, (word) => unused.includes(word) || isGonePath(word, gone, project));
  for (const path of packages) {
    const entries = entriesOf(path, project.text(path)).flatMap(({ entry, source }) => (gone.has(source) ? entry : []));
    editConfiguration(project, path, (word) => unused.includes(word) || entries.includes(word));
  }
  return unused;
}

/** A path that goes, or a pattern that nothing fits any more. */
function isGonePath(word: string, gone: ReadonlySet<string>, project: Project): boolean {
  if (!word.includes('/')) return false;
  const fits = (path: string) => matchesGlob(path, word);
  return [...gone].some(fits) && project.files().every((path) => gone.has(path) || !fits(path));
}

function without(manifest: Manifest, names: readonly string[]): Partial<Manifest> {
  const kept = kinds.flatMap((kind) => {
    const all = manifest[kind];
    return all === undefined
      ? []
      : [[kind, Object.fromEntries(Object.entries(all).filter(([name]) => !names.includes(name)))]];
  });
  return Object.fromEntries(kept) as Partial<Manifest>;
}

/** Packages that what goes uses, by import or by name, and nothing else does. */
function unusedPackages(project: Project, manifest: Manifest, gone: ReadonlySet<string>): string[] {
  const packages = kinds.flatMap((kind) => Object.keys(manifest[kind] ?? {}));
  const sources = project.files(/\.(?:ts|mjs)$/);
  const usersOf = (name: string) => {
    const isOf = (specifier: string) => specifier === name || specifier.startsWith(`${name}/`);
    const importing = sources.filter((path) => project.importsOf(path).some(({ to }) => isOf(to)));
    if (importing.length > 0) return importing;
    // Whoever asks for the files of a package names it in quotes.
    const quoted = new RegExp(`['"\`]${name}(?:/[^'"\`]*)?['"\`]`);
    return sources.filter((path) => quoted.test(project.text(path)));
  };
  const orphans = packages.filter((name) => {
    const users = usersOf(name);
    return users.length > 0 && users.every((path) => gone.has(path));
  });
  const types = orphans
    .map((name) => `@types/${name.replace(/^@(.*)\/(.*)$/, '$1__$2')}`)
    .filter((name) => packages.includes(name));
  return [...orphans, ...types];
}

/** Words of its lists, and members whose name is such a word. */
function editConfiguration(project: Project, path: string, isGone: (word: string) => boolean): void {
  const before = JSON.parse(project.text(path)) as Json;
  const after = prune(before, isGone);
  if (JSON.stringify(after) !== JSON.stringify(before)) project.changes.edit(path, () => written(after));
}

function prune(value: Json, isGone: (word: string) => boolean): Json {
  if (Array.isArray(value)) {
    const list = value as readonly Json[];
    return list.filter((each) => typeof each !== 'string' || !isGone(each)).map((each) => prune(each, isGone));
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, each]) => (isGone(key) ? [] : [[key, prune(each, isGone)]])),
  );
}

/** Controls that go with what they are in, or that no test is left to notice. */
export function editMutations(project: Project, gone: ReadonlySet<string>): void {
  const files = project.files(/^test\/mutations\/.*\.json$/).filter((path) => !gone.has(path));
  for (const path of files) {
    const before = JSON.parse(project.text(path)) as readonly Mutation[];
    const after = before.flatMap((mutation) => {
      const tests = mutation.tests.filter((test) => !gone.has(test));
      return tests.length > 0 && !gone.has(mutation.file) && stands(project, mutation) ? [{ ...mutation, tests }] : [];
    });
    if (JSON.stringify(after) === JSON.stringify(before)) continue;
    if (after.length === 0) project.changes.remove(path);
    else project.changes.edit(path, () => written(after));
  }
}

/** Whether the text of a mutation is still in a file that the removal edits. */
const stands = (project: Project, { file, text }: Mutation): boolean =>
  !project.changes.edited().includes(file) || patternOf(text).test(project.text(file));
