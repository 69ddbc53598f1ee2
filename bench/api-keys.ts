// What authentication by API key costs: the same requests of the same person in turns, by access token and by key.
// Prints medians of the rounds; the CPU time of the service's process moves less when other programs use the machine.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startApps } from './apps.js';
import { describeServer } from './databases.js';
import { measure, type Measurement } from './load.js';
import { check, scenarios, type Scenario } from './scenarios.js';

const rounds = 7;
const load = { seconds: 3, connections: 20 };
const goalPercent = 20;

const asked: readonly Scenario[] = [
  {
    ...scenarios.list,
    title: 'GET /v1/resources?limit=1',
    path: '/v1/resources?limit=1',
    isRight: (body) => body.items.length === 1,
  },
  scenarios.list,
];

const median = (values: readonly number[]): number =>
  values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;

interface Round {
  readonly byToken: Measurement;
  readonly byKey: Measurement;
}

function line(title: string, measured: readonly Round[]): string {
  const more = (of: (measurement: Measurement) => number) =>
    median(measured.map(({ byToken, byKey }) => (of(byKey) / of(byToken) - 1) * 100)).toFixed(1);
  const each = (of: (measurement: Measurement) => number, places = 0) =>
    `${median(measured.map(({ byToken }) => of(byToken))).toFixed(places)} / ` +
    median(measured.map(({ byKey }) => of(byKey))).toFixed(places);
  const [time, cpu] = [({ requestsPerSecond: per }: Measurement) => 1e6 / per, cpuOf];
  return (
    `${title}: requests/s ${each(({ requestsPerSecond: per }) => per)}, p50 ms ${each(({ p50 }) => p50, 1)}, ` +
    `CPU us ${each(cpu)}; by key: time ${more(time)} %, CPU ${more(cpu)} % (goal: at most +${goalPercent} %)\n`
  );
}

const cpuOf = ({ cpuPerRequest = Number.NaN }: Measurement): number => cpuPerRequest;

const directory = mkdtempSync(join(tmpdir(), 'bench-api-keys-'));
const undo: (() => Promise<void>)[] = [async () => rmSync(directory, { recursive: true, force: true })];
try {
  const server = process.env['DATABASE_URL'] || undefined;
  const onCleanup = (step: () => Promise<void>) => void undo.push(step);
  const [app] = await startApps(['ours'], { directory, server, profile: undefined, onCleanup });
  if (app === undefined) throw new Error('the service did not start');
  const wishes = { name: 'Benchmark', scopes: ['resource:read'], expiresInDays: 1 };
  const parts = { token: await app.token(), body: wishes };
  const { key } = (await app.client.expect(201, 'POST', '/v1/api-keys', parts)).body as { key: string };
  process.stdout.write(`${await describeServer(server)}; by access token / by key, medians of ${rounds} rounds\n`);
  for (const scenario of asked) {
    const one = async (token: string) => measure({ ...app, token }, scenario, load);
    for (const token of [await app.token(), key]) {
      await check(app.client, token, scenario);
      await one(token);
    }
    const measured: Round[] = [];
    for (let round = 0; round < rounds; round++) {
      // Begins with the other one each time: what slows the machine down for a while slows both.
      const first = round % 2 === 0 ? await one(await app.token()) : await one(key);
      const second = round % 2 === 0 ? await one(key) : await one(await app.token());
      measured.push(round % 2 === 0 ? { byToken: first, byKey: second } : { byToken: second, byKey: first });
    }
    process.stdout.write(line(scenario.title, measured));
  }
} finally {
  for (const step of undo.toReversed()) await step();
}
