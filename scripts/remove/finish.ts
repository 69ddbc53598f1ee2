import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';

/** Written by the inventory itself, in this form. */
export const printed: ReadonlyMap<string, string> = new Map([
  ['docs/inventory.md', '--markdown'],
  ['.env.example', '--env'],
]);
/** Written by the export of the gateway. */
export const exported = /^deploy\/gateway\/exported\//;
const node = process.execPath;
/** What the compiler found, so that the next removal looks only at what it changes. */
const knownTypes = 'src/generated/.types.tsbuildinfo';

/**
 * What follows from the sources: the Prisma client, the inventory of the routes, the lock file.
 * @throws Error with what the compiler says, when something still uses what is gone.
 */
export function finish(edited: readonly string[], packages: readonly string[]): void {
  const formatted = edited.filter((path) => /\.(?:ts|json)$/.test(path) && path !== 'prisma/field-names.lock.json');
  if (formatted.length > 0) run(node, 'node_modules/oxfmt/bin/oxfmt', ...formatted);
  run(node, 'scripts/build.ts');
  run(node, 'node_modules/typescript/bin/tsc', '--noEmit', '--incremental', '--tsBuildInfoFile', knownTypes);
  if (existsSync('dist/inventory/main.js'))
    for (const [path, form] of printed) writeFileSync(path, run(node, 'dist/inventory/main.js', form));
  // What a gateway is told of the routes, as long as there is one.
  if (existsSync('scripts/gateway.ts')) run(node, 'scripts/gateway.ts', 'export', 'nginx');
  if (packages.length > 0) run('npm', 'install', '--package-lock-only', '--ignore-scripts', '--no-audit', '--offline');
}

/** @throws Error with what the program said. */
function run(program: string, ...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 16 * 2 ** 20 });
  if (status !== 0) throw new Error(`${args.join(' ')} failed:\n${stdout}${stderr}`);
  return stdout;
}
