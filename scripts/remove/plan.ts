import { citationsIn } from '../citations.ts';
import { editDocuments, existenceIn } from './documents.ts';
import { declaringFiles, isIn, withoutAlso, type Part } from './parts.ts';
import type { Project } from './project.ts';
import { findRelations, type Reference, type Relations } from './relations.ts';
import { editSchema, goneTables } from './schema.ts';
import { editMutations, editSettings } from './settings.ts';

export interface Plan {
  readonly parts: readonly Part[];
  /** Tables that a database which exists already still has. */
  readonly tables: readonly string[];
  readonly migrations: readonly string[];
  /** Packages that nothing uses any more. */
  readonly packages: readonly string[];
  /** Comments that still name what is gone. */
  readonly mentions: readonly string[];
}

/** The part with all that depend on it, and on those. */
export function withDependents(project: Project, parts: readonly Part[], chosen: readonly Part[]): Part[] {
  const all = new Set(chosen);
  for (let before = 0; before !== all.size;) {
    before = all.size;
    for (const dependent of findRelations(project, parts, [...all]).dependents.keys()) all.add(dependent);
  }
  return parts.filter((part) => all.has(part));
}

/** @throws Error that names every use of the parts by something that stays. */
export function assertFree({ dependents, blockers }: Relations, names: string): void {
  if (dependents.size > 0) {
    const lines = [...dependents].map(
      ([{ name, ground }, references]) =>
        `${name}${ground === undefined ? '' : `, which stays: ${ground}`}\n${placesOf(references)}`,
    );
    throw new Error(
      `${names} is needed by ${lines.join('\n')}\ntake them too by --with-dependents, or their lines away`,
    );
  }
  if (blockers.length > 0) throw new Error(`${names} is used by what is no part of it:\n${placesOf(blockers)}`);
}

const placesOf = (references: readonly Reference[]): string =>
  references.map(({ from, line, to }) => `  ${from}:${line} (${to})`).join('\n');

/** Everything that the removal of the parts writes and deletes. Nothing is written. */
export function planRemoval(project: Project, parts: readonly Part[], relations: Relations): Plan {
  const { gone, edited } = relations;
  const before = { files: new Set(project.files()), words: wordsOf(project) };
  const [tables, migrations] = [goneTables(project, gone), migrationsIn(gone)];
  editSchema(project, gone);
  const packages = editSettings(project, gone);
  for (const [path, text] of edited) project.changes.edit(path, () => text);
  editMutations(project, gone);
  const was = existenceIn(before.files, (path) => project.text(path), before.words);
  for (const path of gone) project.changes.remove(path);
  const has = (path: string) => project.files().some((file) => isIn(file, path));
  for (const path of declaringFiles(project)) {
    const left = withoutAlso(project.text(path), (also) => !has(also));
    if (left !== project.text(path)) project.changes.edit(path, () => left);
  }
  const words = wordsOf(project);
  const is = existenceIn(new Set(project.files()), (path) => project.text(path), words);
  editTree(project, parts);
  editDocuments(project, was, is);
  const mentions = project.files(/\.(?:ts|mjs|prisma|sql|http)$/).flatMap((path) =>
    citationsIn(path, project.text(path))
      .filter((citation) => was(path, citation) && !is(path, citation))
      .map(({ line, id }) => `${path}:${line} ${id}`),
  );
  return { parts, tables, migrations, packages, mentions };
}

const migrationsIn = (gone: ReadonlySet<string>): string[] =>
  [...gone].flatMap((path) => /^prisma\/migrations\/([^/]+)\/migration\.sql$/.exec(path)?.[1] ?? []);

const commandsAlone = /\bname: '([a-z]+:[a-z-]+)'/g;
const commandsAndResponses = /\b(?:name|response): '([a-z]+:[a-z-]+)'/g;

/** Names of npm scripts and of operator commands, of responses too. */
function wordsOf(project: Project): Set<string> {
  const { scripts } = JSON.parse(project.text('package.json')) as { scripts: Record<string, string> };
  const texts = project.files(/^src\/.*\.ts$/).map((path) => project.text(path));
  // The name of a response is that of a command while something makes commands of responses.
  const naming = texts.some((text) => /^deriveCommands\(/m.test(text)) ? commandsAndResponses : commandsAlone;
  const commands = texts.flatMap((text) => [...text.matchAll(naming)].map(([, name = '']) => name));
  return new Set([...Object.keys(scripts), ...commands]);
}

/** The line of a folder in the tree that README draws. */
function editTree(project: Project, parts: readonly Part[]): void {
  const lines = parts
    .flatMap(({ root }) => /^src\/([^/]+)$/.exec(root)?.[1] ?? [])
    .map((folder) => new RegExp(String.raw`^[├└]── ${folder}/ .*\n`, 'm'));
  for (const line of lines.filter((each) => project.has('README.md') && each.test(project.text('README.md'))))
    project.changes.edit('README.md', (text) => text.replace(line, ''));
}
