import { availableParallelism, cpus } from 'node:os';
import type { Measurement } from './load.js';
import type { AppName, Options, ScenarioName } from './options.js';
import { scenarios } from './scenarios.js';

/** Everything that was measured: scenario -> app -> one measurement per round. */
export type Results = ReadonlyMap<ScenarioName, ReadonlyMap<AppName, readonly Measurement[]>>;

export interface Summary {
  readonly scenario: ScenarioName;
  readonly title: string;
  readonly app: AppName;
  /** Medians over the rounds. */
  readonly requestsPerSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly cpuPerRequest: number | null;
  readonly rounds: readonly Measurement[];
}

export interface Ratio {
  readonly scenario: ScenarioName;
  readonly against: AppName;
  /** Requests per second of ours, divided by those of the other in the same round; the median of the rounds. */
  readonly requestsPerSecond: number;
  /** The same of the CPU time per request, the other divided by ours, so that more is better here too. */
  readonly cpu: number | null;
}

/** The result in a form for machines: `--json`. */
export function report(results: Results, database: string, { seconds, rounds, connections }: Options) {
  return {
    machine: {
      cpu: cpus()[0]?.model ?? 'unknown',
      cores: availableParallelism(),
      node: process.version,
      platform: process.platform,
    },
    database,
    seconds,
    rounds,
    connections,
    summaries: [...results].flatMap(([scenario, apps]) =>
      [...apps].map(([app, measured]) => summarise(scenario, app, measured)),
    ),
    ratios: [...results].flatMap(([scenario, apps]) => ratiosOf(scenario, apps)),
  };
}

function summarise(scenario: ScenarioName, app: AppName, rounds: readonly Measurement[]): Summary {
  const of = (name: 'requestsPerSecond' | 'p50' | 'p99') => median(rounds.map((round) => round[name])) ?? 0;
  return {
    scenario,
    title: scenarios[scenario].title,
    app,
    requestsPerSecond: of('requestsPerSecond'),
    p50: of('p50'),
    p99: of('p99'),
    cpuPerRequest: median(rounds.map(({ cpuPerRequest }) => cpuPerRequest)),
    rounds,
  };
}

function ratiosOf(scenario: ScenarioName, apps: ReadonlyMap<AppName, readonly Measurement[]>): Ratio[] {
  const ours = apps.get('ours') ?? [];
  return [...apps].flatMap(([against, others]) => {
    if (against === 'ours' || ours.length === 0) return [];
    const pairs = ours.map((our, round) => ({ our, other: others[round] ?? our }));
    return {
      scenario,
      against,
      requestsPerSecond: median(pairs.map(({ our, other }) => our.requestsPerSecond / other.requestsPerSecond)) ?? 0,
      cpu: median(
        pairs.map(
          ({ our, other }) => our.cpuPerRequest && other.cpuPerRequest && other.cpuPerRequest / our.cpuPerRequest,
        ),
      ),
    };
  });
}

/** The middle value; null when one is missing. */
function median(values: readonly (number | undefined)[]): number | null {
  const sorted = values.filter((value) => value !== undefined).toSorted((one, other) => one - other);
  if (sorted.length === 0 || sorted.length < values.length) return null;
  const middle = sorted.length / 2;
  const [low = 0, high = 0] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return (low + high) / 2;
}

const columns = ['scenario', 'app', 'req/s', 'p50 ms', 'p99 ms', 'CPU us/req', 'ours/this', 'CPU this/ours'] as const;

/** The result in a form for people. */
export function table({
  machine,
  database,
  seconds,
  rounds,
  connections,
  summaries,
  ratios,
}: ReturnType<typeof report>): string {
  const rows = summaries.map((row) => {
    const ratio = ratios.find(({ scenario, against }) => scenario === row.scenario && against === row.app);
    return [
      row.title,
      row.app,
      row.requestsPerSecond.toFixed(0),
      row.p50.toFixed(1),
      row.p99.toFixed(1),
      row.cpuPerRequest?.toFixed(0) ?? '-',
      ratio?.requestsPerSecond.toFixed(2) ?? '-',
      ratio?.cpu?.toFixed(2) ?? '-',
    ];
  });
  const widths = columns.map((name, at) => Math.max(name.length, ...rows.map((row) => row[at]?.length ?? 0)));
  const joined = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const line = (cells: readonly string[]) =>
    joined(cells.map((cell, at) => (at < 2 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))));
  const rule = joined(widths.map((width, at) => (at < 2 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)));
  const { cores, node } = machine;
  const conditions = `${rounds} rounds of ${seconds} s, ${connections} connections, ${cores} cores, Node ${node}`;
  const lines = [line(columns), rule, ...rows.map(line)];
  return `\nDatabase: ${database}\n${conditions}; medians\n\n${lines.join('\n')}\n\n`;
}
