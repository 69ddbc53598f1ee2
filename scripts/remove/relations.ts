import { matchesGlob } from 'node:path';
import ts from 'typescript';
import { withoutCompanions, withoutRequests } from './companions.ts';
import { lostNamesIn, type LostNames } from './lost-names.ts';
import { belongings, isIn, ownerOf, withNested, type Part } from './parts.ts';
import type { Project } from './project.ts';
import { relationsTo } from './schema.ts';
import { unregister } from './registrations.ts';

export interface Reference {
  readonly from: string;
  readonly line: number;
  readonly to: string;
}

/** What a removal meets. */
export interface Relations {
  /** Files that go. */
  readonly gone: ReadonlySet<string>;
  /** Sources that only list what goes, as they will be. */
  readonly edited: ReadonlyMap<string, string>;
  /** Other parts that use what goes, and where. */
  readonly dependents: ReadonlyMap<Part, readonly Reference[]>;
  /** Uses by sources that belong to no part. */
  readonly blockers: readonly Reference[];
}

/** A test, or what tests find by its name: nothing that stays imports it. */
const isEntry = (path: string, project: Project, gone: ReadonlySet<string>): boolean =>
  project.files(/\.ts$/).every((other) => gone.has(other) || project.importsOf(other).every(({ to }) => to !== path));

/** Follows the names that are lost from file to file, until no further one loses any. */
export function findRelations(project: Project, parts: readonly Part[], chosen: readonly Part[]): Relations {
  const gone = new Set(chosen.flatMap((part) => belongings(part, project)));
  const texts = trimmedTests(project, parts, chosen, gone);
  const found = new Map<string, LostNames>();
  const lost = new Map<string, ReadonlySet<string>>();
  for (let before = -1; before !== sizeOf(lost);) {
    before = sizeOf(lost);
    for (const path of gone) lost.set(path, new Set(['*']));
    for (const path of project.files(/\.ts$/)) {
      if (gone.has(path) || project.importsOf(path, texts.get(path)).every(({ to }) => !lost.has(to))) continue;
      const file = sourceOf(path, texts.get(path) ?? project.text(path));
      const names = lostNamesIn(file, lost, (specifier) => project.resolve(path, specifier));
      if (names.uses.length === 0) continue;
      if (path.startsWith('test/') && isEntry(path, project, gone)) gone.add(path);
      else found.set(path, names);
      if (names.reExported.size > 0) lost.set(path, names.reExported);
    }
  }
  for (const path of orphans(project, parts, gone, texts)) gone.add(path);
  for (const path of gone) for (const each of [found, texts]) each.delete(path);
  const { dependents, blockers, edited } = sort(project, parts, chosen, { found, gone, texts });
  return { gone, dependents, blockers, edited: new Map([...texts, ...edited]) };
}

/** Tests and requests without what they have only because of the parts; those that lose all of it are gone. */
function trimmedTests(project: Project, parts: readonly Part[], chosen: readonly Part[], gone: Set<string>) {
  const going = withNested(parts, chosen).map(({ name }) => name);
  const goes = (part: string) => going.includes(part);
  const texts = new Map<string, string>();
  for (const path of project.files(/^test\/.*\.ts$|^docs\/http\/.*\.http$/).filter((each) => !gone.has(each))) {
    const trimmed = path.endsWith('.http') ? withoutRequests : withoutCompanions.bind(undefined, path);
    const text = trimmed(project.text(path), goes);
    if (text === undefined) gone.add(path);
    else if (text !== project.text(path)) texts.set(path, text);
  }
  return texts;
}

/** Helpers that had users, and have none any more. */
function orphans(
  project: Project,
  parts: readonly Part[],
  gone: ReadonlySet<string>,
  texts: ReadonlyMap<string, string>,
): Set<string> {
  const removable = parts.filter(({ ground }) => ground === undefined);
  const entries = entriesOf(project);
  const helpers = project
    .files(/^(?:test|src)\/.*\.ts$/)
    .filter((path) => ownerOf(path, removable) === undefined && !entries.some((glob) => matchesGlob(path, glob)));
  const users = new Map<string, string[]>();
  for (const path of project.files(/\.ts$/))
    for (const { to } of project.importsOf(path)) {
      // Whoever loses the import with a test that goes has been a user.
      const isUser = project.importsOf(path, texts.get(path)).some((other) => other.to === to);
      users.set(to, [...(users.get(to) ?? []), ...(isUser ? [path] : [])]);
    }
  const orphaned = new Set<string>();
  const goes = (path: string) => gone.has(path) || orphaned.has(path);
  for (let before = -1; before !== orphaned.size;) {
    before = orphaned.size;
    for (const path of helpers) if (!goes(path) && users.get(path)?.every(goes) === true) orphaned.add(path);
  }
  return orphaned;
}

/** What is found by its name, and needs nobody who imports it: knip has to know as well. */
function entriesOf(project: Project): readonly string[] {
  const known = project.has('knip.json') ? project.text('knip.json') : '{}';
  const { workspaces } = JSON.parse(known) as { workspaces?: { '.': { entry: readonly string[] } } };
  return workspaces?.['.'].entry ?? [];
}

const sizeOf = (lost: ReadonlyMap<string, ReadonlySet<string>>): number =>
  [...lost.values()].reduce((sum, names) => sum + names.size, 0);

const sourceOf = (path: string, text: string): ts.SourceFile =>
  ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);

interface Findings {
  readonly found: ReadonlyMap<string, LostNames>;
  readonly gone: ReadonlySet<string>;
  readonly texts: ReadonlyMap<string, string>;
}

function sort(
  project: Project,
  parts: readonly Part[],
  chosen: readonly Part[],
  { found, gone, texts }: Findings,
): Omit<Relations, 'gone'> {
  const dependents = new Map<Part, Reference[]>();
  const blockers: Reference[] = [];
  const edited = new Map<string, string>();
  // Around what goes, a part only lists it.
  const isOutside = (part: Part) => chosen.every(({ root }) => !isIn(root, part.root));
  const depends = (part: Part, references: readonly Reference[]) =>
    dependents.set(part, [...(dependents.get(part) ?? []), ...references]);
  for (const [path, names] of found) {
    const references = names.uses.map(({ line, of }) => ({ from: path, line, to: of }));
    const owner = ownerOf(path, parts);
    const { text, leftovers } = unregister(sourceOf(path, texts.get(path) ?? project.text(path)), names);
    if (owner !== undefined && isOutside(owner)) depends(owner, references);
    else if (leftovers.length === 0 && names.inline.length === 0) edited.set(path, text);
    else blockers.push(...references);
  }
  // What is nested in a part goes with it.
  const isStaying = (part: Part) => chosen.every(({ root }) => !isIn(part.root, root));
  for (const part of parts.filter(isStaying)) {
    const needed = part.needs.filter((need) => chosen.some(({ name }) => name === need));
    if (needed.length > 0) depends(part, [{ from: part.root, line: 1, to: needed.join(', ') }]);
  }
  for (const reference of relationsTo(project, gone)) {
    const owner = parts.find(({ name }) => reference.from === `prisma/schema/${name}.prisma`);
    if (owner === undefined) blockers.push(reference);
    else if (!chosen.includes(owner)) depends(owner, [reference]);
  }
  return { dependents, blockers, edited };
}
