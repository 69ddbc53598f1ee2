import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startApps, type App } from './apps.js';
import { describeServer } from './databases.js';
import { measure, type Measurement } from './load.js';
import { check, scenarios, type Scenario } from './scenarios.js';
import { cpuOf, inTurns, median, type Turn } from './turns.js';

const rounds = 7;
const load = { seconds: 3, connections: 20 };
const goalPercent = 20;

/** A page of one row: the request in which authentication weighs most. */
export const oneRow: Scenario = {
  ...scenarios.list,
  title: 'GET /v1/resources?limit=1',
  path: '/v1/resources?limit=1',
  isRight: (body) => body.items.length === 1,
};

export interface Comparison {
  /** Stands in the lines, as in "by API key". */
  readonly name: string;
  readonly scenarios: readonly Scenario[];
  /** Gets the other credential from the running service. `directory` is for its files, and is deleted in the end. */
  credential(app: App, directory: string): Promise<string>;
}

/**
 * Measures what another credential costs: the same requests of the same person in turns, by the access token of a
 * session and by the other one. Prints medians of the rounds; the CPU time of the service's process moves less than the
 * time when other programs use the machine.
 */
export async function compareCredentials({ name, scenarios: asked, credential }: Comparison): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'bench-credentials-'));
  const undo: (() => Promise<void>)[] = [async () => rmSync(directory, { recursive: true, force: true })];
  try {
    const server = process.env['DATABASE_URL'] || undefined;
    const onCleanup = (step: () => Promise<void>) => void undo.push(step);
    const [app] = await startApps(['ours'], { directory, server, profile: undefined, onCleanup });
    if (app === undefined) throw new Error('the service did not start');
    const other = await credential(app, directory);
    process.stdout.write(`${await describeServer(server)}; by session / by ${name}, medians of ${rounds} rounds\n`);
    for (const scenario of asked) {
      process.stdout.write(lineOf(name, scenario, await measureInTurns(app, scenario, other)));
    }
  } finally {
    for (const step of undo.toReversed()) await step();
  }
}

/** By the access token of a session, and by the other credential. */
async function measureInTurns(app: App, scenario: Scenario, credential: string): Promise<Turn[]> {
  const one = (token: string) => measure({ ...app, token }, scenario, load);
  for (const token of [await app.token(), credential]) {
    await check(app.client, token, scenario);
    await one(token);
  }
  return inTurns(
    rounds,
    async () => one(await app.token()),
    () => one(credential),
  );
}

function lineOf(name: string, { title }: Scenario, measured: readonly Turn[]): string {
  const each = (of: (one: Measurement) => number, places = 0) =>
    `${median(measured.map(({ one }) => of(one))).toFixed(places)} / ` +
    median(measured.map(({ other }) => of(other))).toFixed(places);
  const more = (of: (one: Measurement) => number) =>
    median(measured.map(({ one, other }) => (of(other) / of(one) - 1) * 100)).toFixed(1);
  return (
    `${title}: requests/s ${each(perSecond)}, p50 ms ${each(({ p50 }) => p50, 1)}, CPU us ${each(cpuOf)}; ` +
    `by ${name}: time ${more((one) => 1 / perSecond(one))} %, CPU ${more(cpuOf)} % (goal: at most +${goalPercent} %)\n`
  );
}

const perSecond = ({ requestsPerSecond }: Measurement): number => requestsPerSecond;
