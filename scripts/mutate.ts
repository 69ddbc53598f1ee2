// Takes the controls away one by one, each in a copy, and expects the tests to notice: see docs/practices/mutations.md.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { faultsOf, patternOf, readRegistry, rotation, type Mutation } from './mutate/registry.ts';
import { runTests, stopAll, type Outcome } from './mutate/vitest-run.ts';
import { rememberTemplates, WorkingCopy } from './mutate/working-copy.ts';

const help = `npm run mutate [name...] [-- --list] [-- --rotate <number>] [-- --file <json>]

Applies each change of test/mutations/ in a copy of the work tree, runs the tests that are to notice it, and expects
them to fail.

  npm run mutate                                   all of them
  npm run mutate cors-any-origin                   by name
  npm run mutate -- --list                         names, files and tests
  npm run mutate -- --rotate 12                    a dozen, another one each day
  npm run mutate -- --file test/mutations/users.json

Those of the profile 'services' need DATABASE_URL and REDIS_URL. The status is 1 when a change went unnoticed.
`;

const workers = 2;
const lock = '.mutations/lock';
const print = (line: string): void => void process.stdout.write(`${line}\n`);
const withServers = Boolean(process.env['DATABASE_URL'] && process.env['REDIS_URL']);
const runnable = ({ profile }: Mutation): boolean => profile === undefined || withServers;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      list: { type: 'boolean' },
      rotate: { type: 'string' },
      file: { type: 'string', multiple: true },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help === true) return (print(help), 0);
  assertNoSwallowedOptions();
  const chosen = choose(readRegistry(values.file), positionals, values.rotate);
  if (values.list === true) {
    for (const { name, file, tests, profile } of chosen)
      print(`${name}  ${file}  ${tests.join(' ')}${profile === undefined ? '' : `  (${profile})`}`);
    return (print(`${chosen.length} mutations`), 0);
  }
  const faults = chosen.flatMap(faultsOf);
  if (faults.length > 0) throw new Error(`the registry does not fit the source:\n  ${faults.join('\n  ')}`);
  return withLock(() => runAll(chosen));
}

/** Without the two hyphens npm takes an option for its own, and everything would be run. */
function assertNoSwallowedOptions(): void {
  for (const option of ['list', 'rotate', 'file']) {
    if (process.env[`npm_config_${option}`]) throw new Error(`npm kept --${option} for itself: put -- before it`);
  }
}

function choose(all: readonly Mutation[], names: readonly string[], rotate: string | undefined): Mutation[] {
  const unknown = names.filter((name) => all.every((mutation) => mutation.name !== name));
  if (unknown.length > 0)
    throw new Error(`no mutation is named ${unknown.join(', ')}: npm run mutate -- --list names them all`);
  const named = names.length === 0 ? [...all] : all.filter(({ name }) => names.includes(name));
  if (rotate === undefined) return named;
  if (!/^[1-9]\d*$/.test(rotate)) throw new Error(`--rotate ${rotate}: give the number of mutations`);
  return rotation(
    named.filter((mutation) => runnable(mutation) && mutation.unseen !== true),
    Number(rotate),
    new Date(),
  );
}

/** Two runs at once in one tree would mutate each other's copies. */
async function withLock(work: () => Promise<number>): Promise<number> {
  mkdirSync('.mutations', { recursive: true });
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
  } catch {
    const holder = Number(readFileSync(lock, 'utf8'));
    if (isAlive(holder)) throw new Error(`another run (process ${holder}) is at work here`);
    writeFileSync(lock, String(process.pid));
  }
  const forgetTemplates = rememberTemplates();
  const end = (): void => {
    stopAll();
    forgetTemplates();
    rmSync('.mutations', { recursive: true, force: true });
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => (end(), process.exit(130)));
  try {
    return await work();
  } finally {
    end();
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function runAll(chosen: readonly Mutation[]): Promise<number> {
  const started = Date.now();
  const work = chosen.filter(runnable);
  // Next to each other: mutations whose tests are the same need to see them green only once.
  const groups = Object.values(Object.groupBy(work, testsOf)).flatMap((group) => (group === undefined ? [] : [group]));
  const unnoticed: string[] = [];
  let done = 0;
  const tell = (mutation: Mutation, seconds: number, outcome: Outcome): void => {
    const noticed = outcome.colour === 'red';
    if (!noticed) unnoticed.push(describe(mutation, outcome));
    const verdict = noticed
      ? `killed by ${outcome.because}`
      : outcome.colour === 'green'
        ? 'SURVIVED'
        : `BROKEN ${outcome.because}`;
    print(`[${++done}/${work.length}] ${mutation.name} (${seconds.toFixed(1)} s) ${verdict}`);
  };
  await Promise.all(
    Array.from({ length: Math.min(workers, groups.length) }, async (_, slot) => {
      const copy = new WorkingCopy(slot);
      for (let group = groups.shift(); group !== undefined; group = groups.shift()) await runGroup(copy, group, tell);
    }),
  );
  const skipped = chosen.length - work.length;
  if (skipped > 0) print(`${skipped} skipped: they need DATABASE_URL and REDIS_URL`);
  print(
    `${work.length - unnoticed.length} of ${work.length} noticed, in ${Math.round((Date.now() - started) / 1000)} s`,
  );
  for (const one of unnoticed) print(one);
  return unnoticed.length === 0 ? 0 : 1;
}

const testsOf = ({ tests, profile }: Mutation): string => JSON.stringify([tests, profile]);

/** The tests of all of them in one run. */
const together = (group: readonly Mutation[]): string | undefined =>
  group.every(({ test }) => test !== undefined) ? group.map(({ test }) => `(${test})`).join('|') : undefined;

/** A test that fails on the source as it is would notice anything: it is seen green first. */
async function runGroup(
  copy: WorkingCopy,
  group: readonly Mutation[],
  tell: (mutation: Mutation, seconds: number, outcome: Outcome) => void,
) {
  const [first] = group;
  if (first === undefined) return;
  copy.prepare(first.tests, undefined);
  const before = await runTests(copy, { ...first, test: together(group) });
  for (const mutation of group) {
    const started = Date.now();
    if (before.colour !== 'green') {
      tell(mutation, 0, { colour: 'broken', because: `its tests fail without it: ${before.because}` });
      continue;
    }
    const restore = copy.apply(mutation);
    copy.prepare(mutation.tests, mutation);
    const outcome = await runTests(copy, mutation);
    restore();
    tell(mutation, (Date.now() - started) / 1000, outcome);
  }
}

/** What went unnoticed, with all that is needed to see it again. */
function describe({ name, file, text, replacement, tests }: Mutation, { colour, because }: Outcome): string {
  const line = readFileSync(file, 'utf8').split(patternOf(text))[0]?.split('\n').length ?? 0;
  const verdict = colour === 'green' ? `survived: ${because}` : `broken, no test is named for it: ${because}`;
  return `
${name} ${verdict}
  in      ${file}:${line}
  was     ${text.trim()}
  became  ${replacement.trim()}
  tests   ${tests.join(' ')}
  again   npm run mutate ${name}`;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
