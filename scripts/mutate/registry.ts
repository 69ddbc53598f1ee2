// The registry of mutations: one small change of the source each, which a test has to notice.
import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync } from 'node:fs';

/** A change of one file that takes a control away, and the tests that turn red with it. */
export interface Mutation {
  readonly name: string;
  readonly file: string;
  /** Stands exactly once in the file, in whatever lines the formatter breaks it into. */
  readonly text: string;
  readonly replacement: string;
  readonly tests: readonly string[];
  /** A pattern for the names of tests, as for `vitest -t`, where the rest of the file takes long. */
  readonly test?: string;
  /** `services`: the test needs PostgreSQL and Redis. */
  readonly profile?: 'services';
  /** Nobody has seen yet that a test notices it: `npm run mutate` tries it, the dozen of the day does not. */
  readonly unseen?: true;
}

const keys = ['name', 'file', 'text', 'replacement', 'tests', 'test', 'profile', 'unseen'];
const tested = /^(packages\/[\w-]+\/)?test\/[\w./-]+\.test\.ts$/;

/** @throws Error that names the file whose content is no list of mutations. */
export function readRegistry(files: readonly string[] = globSync('test/mutations/*.json')): Mutation[] {
  return [...files].toSorted().flatMap((file) => {
    const entries: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (!Array.isArray(entries)) throw new Error(`${file} holds no array of mutations`);
    return entries.map((entry: unknown, index) => parse(entry, `${file}, entry ${index + 1}`));
  });
}

function parse(entry: unknown, where: string): Mutation {
  const { name, file, text, replacement, tests, test, profile, unseen, ...rest } = Object(entry) as Record<
    string,
    unknown
  >;
  const unknown = Object.keys(rest);
  if (unknown.length > 0) throw new Error(`${where}: ${unknown.join(', ')} is not known, only ${keys.join(', ')}`);
  const valid =
    [name, file, text, replacement].every((value) => typeof value === 'string') &&
    Array.isArray(tests) &&
    tests.length > 0 &&
    tests.every((value) => typeof value === 'string' && tested.test(value)) &&
    (test === undefined || typeof test === 'string') &&
    (profile === undefined || profile === 'services') &&
    (unseen === undefined || unseen === true);
  if (!valid) {
    throw new Error(
      `${where}: name, file, text and replacement are strings, tests a list of (packages/*/)test/….test.ts, ` +
        `profile 'services' or absent, unseen true or absent`,
    );
  }
  return entry as Mutation;
}

/**
 * Finds a text of the registry in the source however a formatter has broken its lines: white space may be anything,
 * and a comma may stand before a closing bracket.
 */
export function patternOf(text: string): RegExp {
  const tokens = text.match(/\w+|[^\w\s]/g) ?? [];
  const escaped = tokens.map((token) => token.replaceAll(/[$()*+./?[\\\]^{|}-]/g, String.raw`\$&`));
  return new RegExp(
    escaped.map((token, index) => (index > 0 && /^\\?[)\]}]$/.test(token) ? `,?\\s*${token}` : token)).join('\\s*'),
    'g',
  );
}

/** What keeps a mutation from being applied: nothing is skipped in silence. */
export function faultsOf({ name, file, text, replacement, tests }: Mutation): string[] {
  const faults = tests.filter((path) => !existsSync(path)).map((path) => `${name}: there is no ${path}`);
  if (!/^[a-z\d]+(-[a-z\d]+)*$/.test(name)) faults.push(`${name}: a name is in kebab-case`);
  if (text === replacement || text === '') faults.push(`${name}: text and replacement are the same, or text is empty`);
  if (!existsSync(file)) return [...faults, `${name}: there is no ${file}`];
  const count = [...readFileSync(file, 'utf8').matchAll(patternOf(text))].length;
  return count === 1 ? faults : [...faults, `${name}: its text stands ${count} times in ${file}, not once`];
}

/** The same number each day, all in turn; neighbours in a file are days apart. */
export function rotation(mutations: readonly Mutation[], size: number, date: Date): Mutation[] {
  const spread = mutations.toSorted((one, other) => (digest(one.name) < digest(other.name) ? -1 : 1));
  const day = Math.floor(date.getTime() / 86_400_000);
  const start = (day * size) % Math.max(1, spread.length);
  return [...spread, ...spread].slice(start, start + Math.min(size, spread.length));
}

const digest = (name: string): string => createHash('sha256').update(name).digest('hex');
