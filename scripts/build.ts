// Builds what is out of date, and nothing else: `npm start` must not compile a tree that has not changed. Types are
// checked by `npm test` and `npm run build`; here each file is only stripped of them, which takes a third of the time.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { compile } from './compile.ts';

/**
 * A part of the build. Its stamp names the inputs and is written after it succeeded; it is older than an input when it
 * is out of date.
 */
interface Step {
  readonly name: string;
  readonly inputs: readonly string[];
  readonly stamp: string;
  readonly run: () => void;
}

const generating: Step = {
  name: 'generating the Prisma client',
  inputs: ['prisma/schema/*.prisma', 'packages/field-encryption/src/generator/*.ts', 'package-lock.json'],
  stamp: 'src/generated/.stamp',
  run: generate,
};
const library = 'packages/field-encryption';
const compilingLibrary: Step = {
  name: 'compiling field encryption',
  inputs: [`${library}/src/**/*.ts`, 'scripts/*.ts', `${library}/*.json`, 'package-lock.json'],
  stamp: `${library}/dist/.stamp`,
  run: () => compile({ project: `${library}/tsconfig.json`, root: `${library}/src`, output: `${library}/dist` }),
};
const compiled = ['src/**/*.ts', 'scripts/*.ts', 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json'];
const compiling: Step = {
  name: 'compiling',
  inputs: compiled,
  stamp: 'dist/.stamp',
  run: () => compile({ project: 'tsconfig.build.json', root: 'src', output: 'dist' }),
};
const compilingBench: Step = {
  name: 'compiling with the benchmark',
  inputs: [...compiled, 'bench/**/*.ts', 'prisma/migrations/*/*.sql'],
  stamp: '.bench/.stamp',
  run: compileBench,
};

// `node scripts/build.ts` makes dist/, `node scripts/build.ts bench` makes .bench/.
for (const step of [generating, compilingLibrary, process.argv[2] === 'bench' ? compilingBench : compiling]) {
  if (isCurrent(step)) continue;
  process.stderr.write(`${step.name} ...\n`);
  const began = new Date();
  step.run();
  mkdirSync(dirname(step.stamp), { recursive: true });
  writeFileSync(step.stamp, listOf(globSync([...step.inputs])));
  // What was edited meanwhile is newer.
  utimesSync(step.stamp, began, began);
}

/** The names of what a step reads. */
function listOf(files: readonly string[]): string {
  return files.toSorted().join('\n');
}

function isCurrent({ inputs, stamp }: Step): boolean {
  if (!existsSync(stamp)) return false;
  const built = statSync(stamp).mtimeMs;
  const files = globSync([...inputs]);
  const listed = readFileSync(stamp, 'utf8');
  // A file that is gone has no time to tell. An empty stamp is of scripts/mutate/, which knows that all is current.
  const isListed = listed === '' || listed === listOf(files);
  return isListed && files.every((file) => statSync(file).mtimeMs <= built);
}

function generate(): void {
  const shell = process.platform === 'win32';
  const { status, stdout, stderr } = spawnSync('node_modules/.bin/prisma', ['generate'], { encoding: 'utf8', shell });
  if (status === 0) return;
  process.stderr.write(`${stdout}${stderr}`);
  process.exit(1);
}

function compileBench(): void {
  compile({
    project: 'tsconfig.build.json',
    root: '.',
    output: '.bench',
    further: globSync(['bench/**/*.ts', 'scripts/free-port.ts']),
  });
  // The service finds its migrations beside its own directory.
  cpSync('prisma/migrations', '.bench/prisma/migrations', { recursive: true });
}
