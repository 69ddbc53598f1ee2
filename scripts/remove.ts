// Takes a part of the service away, with all that belongs to it: see docs/guides/remove.md.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { allTrials, check, eachTrial, halves, rotated, trialOf, type Trial } from './remove/check.ts';
import { exported, finish, printed } from './remove/finish.ts';
import { assertClean, assertUnedited, record, recordOf, renewRecord, unedited } from './remove/guards.ts';
import { listParts } from './remove/list.ts';
import { findParts, type Part } from './remove/parts.ts';
import { assertFree, planRemoval, withDependents, type Plan } from './remove/plan.ts';
import { Project } from './remove/project.ts';
import { findRelations } from './remove/relations.ts';

const help = `npm run remove <name>... [-- --dry-run | --with-dependents | --force]
npm run remove -- --list | --check-all | --check-rotating <number> | --check-halves <number>

Takes a part of the service away: its folder and its line in the table, schema, migration, tests, pages, requests,
packages that nothing else uses. What it leaves is a change that is not committed.

  npm run remove -- --list                           every part, what it needs, what needs it, its lines
  npm run remove passkeys -- --dry-run               says what would go, and changes nothing
  npm run remove resources -- --with-dependents      also what cannot be without it
  npm run remove resources -- --force                also when files were edited, or changes are not committed
  npm run remove passkeys -- --check                 tries it in a copy: types, lint, start
  npm run remove passkeys -- --check --with-tests    and every fast test that is left
  npm run remove totp browser -- --check-each        tries each of them in a copy of its own
  npm run remove -- --check-all                      tries each part, and with the tests all of them at once
  npm run remove -- --check-rotating 12              tries so many of them, other ones each day, and all of them at once
  npm run remove -- --check-halves 1                 takes one half of the parts away, and then the other one, with the
                                                     tests that are left; other halves each day, 99 tries every pair
  npm run remove -- --record                         for the template itself: notes what is shipped
`;
const options = {
  'dry-run': { type: 'boolean' },
  'list': { type: 'boolean' },
  'with-dependents': { type: 'boolean' },
  'force': { type: 'boolean' },
  'record': { type: 'boolean' },
  'check': { type: 'boolean' },
  'with-tests': { type: 'boolean' },
  'check-each': { type: 'boolean' },
  'check-all': { type: 'boolean' },
  'check-rotating': { type: 'string' },
  'check-halves': { type: 'string' },
  'help': { type: 'boolean', short: 'h' },
} as const;
type Options = ReturnType<typeof parseArgs<{ allowPositionals: true; options: typeof options }>>['values'];

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options });
  if (values.help === true) return print(help);
  refuseSwallowedOptions();
  const project = new Project();
  const parts = findParts(project);
  if (values.list === true) return print(listParts(project, parts));
  if (values.record === true) return writeFileSync(record, recordOf(parts, project));
  const asked = positionals.map((name) => named(name, parts));
  const trials = trialsOf(project, parts, asked, values);
  if (trials !== undefined) {
    if (!(await check(trials, project.files(), print))) process.exitCode = 1;
    return undefined;
  }
  if (asked.length === 0) throw new Error(`name a part\n\n${help}`);
  return remove(project, parts, asked, values);
}

function trialsOf(
  project: Project,
  parts: readonly Part[],
  asked: readonly Part[],
  values: Options,
): Trial[] | undefined {
  const { 'check-all': all, 'check-each': each, 'check-rotating': count, 'check-halves': divisions } = values;
  if (divisions !== undefined && (values.check === true || each === true))
    throw new Error('--check-halves goes alone, or beside --check-all or --check-rotating');
  if (values.check === true) return [trialOf(project, parts, asked, values['with-tests'])];
  if (each === true) return eachTrial(project, parts, asked);
  if (all !== true && count === undefined && divisions === undefined) return undefined;
  const every = all === true || count !== undefined ? allTrials(project, parts) : [];
  const single = count === undefined ? every : rotated(every, countOf(count), new Date());
  return [...single, ...(divisions === undefined ? [] : halves(project, parts, countOf(divisions), new Date()))];
}

function countOf(word: string): number {
  if (!/^(?:0|[1-9]\d?)$/.test(word)) throw new Error(`${word} is no number of checks`);
  return Number(word);
}

/** Without the two hyphens npm takes an option for its own, and what was meant to be tried would be done. */
function refuseSwallowedOptions(): void {
  const swallowed = Object.keys(options).find(
    (option) => process.env[`npm_config_${option.replaceAll('-', '_')}`] && option !== 'help',
  );
  if (swallowed !== undefined) throw new Error(`npm kept --${swallowed} for itself: put -- before it`);
}

function named(name: string, parts: readonly Part[]): Part {
  const part = parts.find((each) => each.name === name);
  if (part === undefined) throw new Error(`there is no part "${name}": npm run remove -- --list names them all`);
  if (part.ground !== undefined) throw new Error(`${name} stays: ${part.ground}`);
  return part;
}

function remove(project: Project, parts: readonly Part[], asked: readonly Part[], values: Options): void {
  const chosen = values['with-dependents'] === true ? withDependents(project, parts, asked) : asked;
  const ground = chosen.find((part) => part.ground !== undefined);
  if (ground !== undefined) throw new Error(`${ground.name} needs it, and stays: ${ground.ground}`);
  const relations = findRelations(project, parts, chosen);
  assertFree(relations, asked.map(({ name }) => name).join(', '));
  if (values.force !== true) {
    assertClean();
    assertUnedited(chosen, relations.gone);
  }
  const plan = planRemoval(project, chosen, relations);
  for (const path of [...printed.keys(), ...project.files(exported)])
    if (project.has(path)) project.changes.include(path);
  if (plan.packages.length > 0) project.changes.include('package-lock.json');
  if (project.has(record)) project.changes.include(record);
  const { changes } = project;
  if (values['dry-run'] === true)
    return print([...changes.list(), 'nothing was changed: leave out --dry-run to do it', ''].join('\n'));
  const asShipped = unedited(changes.edited());
  changes.apply(() => {
    finish(changes.edited(), plan.packages);
    renewRecord(asShipped);
  });
  print([...changes.list(), nextSteps(plan)].join('\n'));
}

function nextSteps({ parts, tables, migrations, packages, mentions }: Plan): string {
  const rows = migrations.map((name) => `'${name}'`).join(', ');
  return [
    '',
    `Gone: ${parts.map(({ name }) => name).join(', ')}. Next:`,
    '  git diff           reads it; git restore --staged --worktree . takes it back',
    ...(packages.length === 0 ? [] : [`  npm install        takes away ${packages.join(', ')}`]),
    '  npm test           what is left',
    ...(migrations.length === 0
      ? []
      : [
          '  a database that exists is refused until it forgets them: delete .data/, or run as its owner',
          ...tables.map((table) => `    DROP TABLE ${table} CASCADE;`),
          `    DELETE FROM _prisma_migrations WHERE migration_name IN (${rows});`,
        ]),
    ...(mentions.length === 0
      ? []
      : ['  comments that still name it:', ...mentions.map((mention) => `    ${mention}`)]),
    '',
  ].join('\n');
}

function print(text: string): void {
  process.stdout.write(text);
}

try {
  await main();
} catch (error) {
  process.stderr.write(`nothing was changed: ${(error as Error).message}\n`);
  process.exitCode = 1;
}
