import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startApps, startWithout, type App } from './apps.js';
import { describeServer } from './databases.js';
import { measure } from './load.js';
import { chosen, scenarioNames, whole as wholeNumber, type ScenarioName } from './options.js';
import { check, scenarios } from './scenarios.js';
import { cpuOf, inTurns, median, type Turn } from './turns.js';

const help = `npm run bench:parts -- [Module,Module ...] [options]

What a part of the pipeline costs a request: the service beside itself without that part, in turns, in one run. Each
argument names lines of THE TABLE in src/app.module.ts that are left out together, without the word "Module", such as
Logging,Metrics,Audit. Without arguments: each part that can be left out. Set DATABASE_URL for PostgreSQL.

  --seconds <n>    length of one measurement (default 3)
  --rounds <n>     measurements of each (default 5)
  --only <names>   some of ${scenarioNames.join(', ')}, separated by commas
`;

const everyPart = [
  'Logging',
  'Metrics',
  'Telemetry',
  'Headers',
  'Response',
  'NetworkLimits,CallerLimits',
  'UnsentAnswers',
  'Validation',
  'Detection,Alerting',
  'Audit,AuditSeals,AuditEvents',
  // What watches, together.
  'Logging,Metrics,Audit,AuditSeals,AuditEvents',
];

interface Options {
  readonly parts: readonly string[];
  readonly scenarios: readonly ScenarioName[];
  readonly seconds: number;
  readonly rounds: number;
}

const connections = 20;
const undo: (() => Promise<void>)[] = [];

/** The service and one other at a time: more of them would share the caches of the processor. */
async function compare(whole: App, other: App, name: ScenarioName, { seconds, rounds }: Options): Promise<string> {
  const one = async (app: App) =>
    measure({ ...app, token: await app.token() }, scenarios[name], { seconds, connections });
  for (const app of [whole, other]) {
    await check(app.client, await app.token(), scenarios[name]);
    await one(app);
  }
  const turns = await inTurns(
    rounds,
    () => one(whole),
    () => one(other),
  );
  return lineOf(name, turns);
}

function lineOf(name: ScenarioName, turns: readonly Turn[]): string {
  const cost = median(turns.map(({ one, other }) => cpuOf(one) - cpuOf(other)));
  const share = median(turns.map(({ one, other }) => 1 - cpuOf(other) / cpuOf(one)));
  const slower = median(turns.map(({ one, other }) => 1 - one.requestsPerSecond / other.requestsPerSecond));
  const percent = (value: number) => `${(value * 100).toFixed(0)} %`;
  return `| ${name} | ${cost.toFixed(0)} | ${percent(share)} | ${percent(slower)} |`;
}

function readOptions(): Options | undefined {
  const text = { type: 'string' } as const;
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { seconds: text, rounds: text, only: text, help: { type: 'boolean' } },
  });
  if (values.help === true) return undefined;
  return {
    parts: positionals.length > 0 ? positionals : everyPart,
    scenarios: chosen(scenarioNames, values.only?.split(',') ?? []),
    seconds: wholeNumber('--seconds', values.seconds, { fallback: 3, max: 120 }),
    rounds: wholeNumber('--rounds', values.rounds, { fallback: 5, max: 100 }),
  };
}

async function run(options: Options): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'bench-parts-'));
  undo.push(async () => rmSync(directory, { recursive: true, force: true }));
  const server = process.env['DATABASE_URL'] || undefined;
  const surroundings = {
    directory,
    server,
    profile: undefined,
    onCleanup: (step: () => Promise<void>) => void undo.push(step),
  };
  const print = (line: string): void => void process.stdout.write(`${line}\n`);
  print(`${await describeServer(server)}; medians of ${options.rounds} rounds of ${options.seconds} s\n`);
  print('| without | request | CPU us it costs | of all CPU | of throughput |');
  print('|---|---|---:|---:|---:|');
  const [whole] = await startApps(['ours'], surroundings);
  if (whole === undefined) throw new Error('the service did not start');
  for (const part of options.parts) {
    const before = undo.length;
    const other = await startWithout(part, surroundings);
    for (const name of options.scenarios) print(`| ${part} ${await compare(whole, other, name, options)}`);
    for (const step of undo.splice(before).toReversed()) await step();
  }
}

const options = readOptions();
try {
  if (options === undefined) process.stdout.write(help);
  else await run(options);
} finally {
  for (const step of undo.splice(0).toReversed()) await step();
}
