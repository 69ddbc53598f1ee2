// Makes a feature that is protected from its first start: see docs/practices/generator.md.
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { namesOf, type Names } from './generator/names.ts';
import { inventory, planResource } from './generator/plan.ts';

const help = `npm run generate resource <name> [-- --plural <names>] [-- --dry-run]

Makes a feature whose objects belong to whoever made them: table with a sealed field, permissions, policy, controller,
service, repository, and tests that attack it. For example:

  npm run generate resource invoice
  npm run generate resource person -- --plural people
  npm run generate resource invoice -- --dry-run      says what it would write, and writes nothing
`;

function main(): void {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { 'plural': { type: 'string' }, 'dry-run': { type: 'boolean' }, 'help': { type: 'boolean', short: 'h' } },
  });
  const [kind, name, ...more] = positionals;
  if (values.help === true) return print(help);
  refuseSwallowedOptions();
  if (kind !== 'resource' || name === undefined || more.length > 0)
    throw new Error(`the arguments are not clear\n\n${help}`);
  const names = namesOf(name, values.plural);
  const changes = planResource(names, new Date());
  if (values['dry-run'] === true)
    return print([...changes.list(), 'nothing was written: leave out --dry-run to write it', ''].join('\n'));
  changes.apply(() => finish(changes.created()));
  print([...changes.list(), nextSteps(names)].join('\n'));
}

/** Without the two hyphens npm takes an option for its own, and what was meant to be tried would be done. */
function refuseSwallowedOptions(): void {
  for (const option of ['dry_run', 'plural']) {
    if (process.env[`npm_config_${option}`])
      throw new Error(`npm kept --${option.replace('_', '-')} for itself: put -- before it`);
  }
}

/**
 * What is written from the new sources: the Prisma client, and the inventory of the routes, which looks into the
 * compiled service.
 */
function finish(created: readonly string[]): void {
  // Names have different lengths, and so the lines of a template break elsewhere.
  run('node_modules/oxfmt/bin/oxfmt', ...created.filter((path) => path.endsWith('.ts')));
  run('scripts/build.ts');
  writeFileSync(inventory, run('dist/inventory/main.js', '--markdown'));
  // What a gateway is told of the routes, as long as there is one.
  if (existsSync('scripts/gateway.ts')) run('scripts/gateway.ts', 'export', 'nginx');
}

/** @throws Error with what the script said. */
function run(script: string, ...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], {
    encoding: 'utf8',
    maxBuffer: 16 * 2 ** 20,
  });
  if (status !== 0) throw new Error(`${script} failed:\n${stdout}${stderr}`);
  return stdout;
}

const nextSteps = ({ kebabs }: Names) => `
Next:
  1. say what it is about: title, body and note in prisma/schema/${kebabs}.prisma, the migration and src/${kebabs}/
  2. npm test -- test/${kebabs}      lint, types, import rules, and the attacks on it
  3. npm start      applies the migration; the routes are under /v1/${kebabs}, and in /docs
`;

function print(text: string): void {
  process.stdout.write(text);
}

try {
  main();
} catch (error) {
  process.stderr.write(`nothing was changed: ${(error as Error).message}\n`);
  process.exitCode = 1;
}
