import { basename, dirname } from 'node:path';
import type { Project } from './project.ts';

/**
 * What can be named for a removal: a folder whose module says in its opening lines what its removal means, or a single
 * file that does. What belongs to it follows from its name and place; the opening lines add what does not:
 *
 *   // Remove: npm run remove notices; nobody is told of changes any more.
 *   // Remove: not by itself; every method of authentication begins sessions here.
 *   // Needs: passkeys, api-docs.
 *   // Also: docs/http/<flow>.http.
 */
export interface Part {
  readonly name: string;
  /** The path of its folder, or of the single file. */
  readonly root: string;
  /** Why it cannot be removed by itself. */
  readonly ground?: string;
  /** Parts that it works with although it does not import them. */
  readonly needs: readonly string[];
  /** Files that belong to it although neither their name nor their place says so. */
  readonly also: readonly string[];
}

const opening = /^\/\/ Remove: /m;
const entry = /(?:\.module|\/index|\/main)\.ts$/;

/** The files that have the opening lines of a part. */
export const declaringFiles = (project: Project): string[] =>
  project
    .files(/^(?:(?:src|packages\/[^/]+\/src)\/.*|test\/[^/]+\/index)\.ts$/)
    .filter((path) => opening.test(project.text(path)));

/** @throws Error for opening lines that name what is not there. */
export function findParts(project: Project): Part[] {
  const parts = declaringFiles(project).map((path) => partOf(path, project.text(path)));
  for (const part of parts) assertSound(part, parts, project);
  return parts.toSorted((one, other) => (one.name < other.name ? -1 : 1));
}

function partOf(path: string, text: string): Part {
  const root = entry.test(path) ? dirname(path) : path;
  const remove = paragraphOf(text, 'Remove') ?? '';
  const ground = /^not by itself[;:,.] *(.*)$/.exec(remove)?.[1];
  return {
    name: basename(root, '.ts'),
    root,
    ...(ground === undefined ? {} : { ground }),
    needs: listOf(paragraphOf(text, 'Needs')),
    also: listOf(paragraphOf(text, 'Also')),
  };
}

/** The text after `// Key: `, also where it goes on in the next lines. */
function paragraphOf(text: string, key: string): string | undefined {
  const lines = new RegExp(String.raw`^// ${key}: (.*(?:\n// (?![A-Z][a-z ]*: ).*)*)`, 'm').exec(text)?.[1];
  return lines?.replaceAll(/\n\/\/ */g, ' ');
}

/** The opening lines without the belongings that go. */
export function withoutAlso(text: string, goes: (path: string) => boolean): string {
  const also = listOf(paragraphOf(text, 'Also'));
  const left = also.filter((path) => !goes(path));
  if (left.length === also.length) return text;
  const line = left.length === 0 ? '' : `// Also: ${left.join(', ')}.\n`;
  return text.replace(/^\/\/ Also: .*\n(?:\/\/ (?![A-Z][a-z ]*: ).*\n)*/m, line);
}

const listOf = (text: string | undefined): string[] =>
  (text ?? '').split(/[, ]+/).flatMap((each) => each.replace(/\.$/, '') || []);

function assertSound({ name, root, needs, also }: Part, parts: readonly Part[], project: Project): void {
  const twin = parts.find((other) => other.name === name && other.root !== root);
  if (twin !== undefined) throw new Error(`${root} and ${twin.root} have one name: rename a folder`);
  const unknown = needs.find((need) => parts.every((other) => other.name !== need));
  if (unknown !== undefined) throw new Error(`${root} needs ${unknown}, which is no part`);
  const missing = also.find((path) => project.files().every((file) => !isIn(file, path)));
  if (missing !== undefined) throw new Error(`${root} names ${missing}, which is not there`);
}

/** The file itself, or something below the folder. */
export const isIn = (path: string, root: string): boolean =>
  path === root || path.startsWith(root.endsWith('/') ? root : `${root}/`);

/** Those that are taken, and what lies in their folders: it goes with them. */
export const withNested = (parts: readonly Part[], taken: readonly Part[]): Part[] =>
  parts.filter(({ root }) => taken.some((each) => isIn(root, each.root)));

/** The innermost part in which a source is. */
export function ownerOf(path: string, parts: readonly Part[]): Part | undefined {
  return parts
    .filter(({ root }) => isIn(path, root))
    .toSorted((one, other) => other.root.length - one.root.length)
    .at(0);
}

/** Files of the part, by its folder, its name, and its opening lines. */
export function belongings({ name, root, also }: Part, project: Project): string[] {
  const inTests = root.replace(/^src\//, 'test/').replace(/^(packages\/[^/]+)\/src\//, '$1/test/');
  const snake = name.replaceAll('-', '_');
  const named = new RegExp(
    [
      String.raw`^prisma/schema/${name}\.prisma$`,
      String.raw`^prisma/migrations/\d+_${snake}/`,
      String.raw`^docs/(?:practices|guides)/${name}\.md$`,
      String.raw`^docs/http/${name}\.http$`,
      String.raw`^test/browser/${name}\.browser\.ts$`,
      String.raw`^test/mutations/${name}\.json$`,
    ].join('|'),
  );
  const tests = inTests.endsWith('.ts') ? inTests.replace(/\.ts$/, '.test.ts') : inTests;
  return project
    .files()
    .filter((path) => named.test(path) || [root, tests, ...also].some((place) => isIn(path, place)));
}
