import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startApps, type App } from './apps.js';
import { describeServer } from './databases.js';
import { measure, type Measurement } from './load.js';
import { help, readOptions, type AppName, type Options, type ScenarioName } from './options.js';
import { report, table } from './report.js';
import { check, scenarios } from './scenarios.js';

const warmUpSeconds = 2;
const undo: (() => Promise<void>)[] = [];

const print = (text: string): void => void process.stderr.write(text);

async function run(options: Options): Promise<void> {
  const server = process.env['DATABASE_URL'] || undefined;
  const database = await describeServer(server);
  const directory = mkdtempSync(join(tmpdir(), 'bench-'));
  undo.push(async () => rmSync(directory, { recursive: true, force: true }));
  print(`database: ${database}\nstarting ${options.apps.join(', ')} ...\n`);
  const apps = await startApps(options.apps, {
    directory,
    server,
    profile: options.profile,
    onCleanup: (step) => undo.push(step),
  });
  await compareAnswers(apps, options);
  await warmUp(apps, options);
  const result = report(await measureAll(apps, options), database, options);
  process.stdout.write(options.json ? `${JSON.stringify(result, undefined, 2)}\n` : table(result));
}

/** Apps that answer different things cannot be compared, and errors are answered fast. */
async function compareAnswers(apps: readonly App[], options: Options): Promise<void> {
  for (const name of options.scenarios) {
    const shapes = new Map<string, AppName>();
    for (const app of apps) shapes.set(await check(app.client, await app.token(), scenarios[name]), app.name);
    if (shapes.size > 1)
      throw new Error(
        `${name}: the apps answer in different shapes:\n` +
          [...shapes].map(([shape, app]) => `${app}: ${shape}`).join('\n'),
      );
  }
}

async function warmUp(apps: readonly App[], options: Options): Promise<void> {
  for (const name of options.scenarios) {
    for (const app of apps) {
      print(`warming up ${app.name} ${name} ...\n`);
      await measure({ ...app, token: await app.token() }, scenarios[name], {
        seconds: warmUpSeconds,
        connections: options.connections,
      });
    }
  }
}

/**
 * In turns, and beginning with another app in each round: what slows the machine down for a while slows all of them.
 */
async function measureAll(apps: readonly App[], options: Options) {
  const results = new Map(
    options.scenarios.map((scenario) => [scenario, new Map(options.apps.map((app) => [app, [] as Measurement[]]))]),
  );
  for (let round = 0; round < options.rounds; round++) {
    const order = apps.map((_, at) => apps[(at + round) % apps.length] as App);
    for (const scenario of options.scenarios) {
      for (const app of order)
        results
          .get(scenario)
          ?.get(app.name)
          ?.push(await measureOne(app, scenario, round, options));
    }
  }
  return results;
}

async function measureOne(app: App, scenario: ScenarioName, round: number, options: Options): Promise<Measurement> {
  const measured = await measure({ ...app, token: await app.token() }, scenarios[scenario], options);
  print(
    `round ${round + 1}/${options.rounds} ${scenario} ${app.name}: ${measured.requestsPerSecond.toFixed(0)} req/s\n`,
  );
  return measured;
}

async function cleanUp(): Promise<void> {
  for (const step of undo.splice(0).toReversed())
    await step().catch((error: unknown) => print(`cleaning up: ${String(error)}\n`));
}

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void cleanUp().finally(() => process.exit(130)));

try {
  const options = readOptions(process.argv.slice(2));
  if (options === undefined) process.stdout.write(help);
  else await run(options);
} catch (error) {
  print(`The benchmark failed: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
} finally {
  await cleanUp();
}
