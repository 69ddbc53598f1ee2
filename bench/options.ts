import { parseArgs } from 'node:util';

export const appNames = ['bare', 'ours', 'textbook'] as const;
export type AppName = (typeof appNames)[number];

export const scenarioNames = ['me', 'list', 'create'] as const;
export type ScenarioName = (typeof scenarioNames)[number];

export interface Options {
  readonly apps: readonly AppName[];
  readonly scenarios: readonly ScenarioName[];
  readonly rounds: number;
  /** Seconds of one measurement; at most 120, because an access token of the service lives for 300. */
  readonly seconds: number;
  readonly connections: number;
  readonly json: boolean;
  /** Where the CPU profiles of the apps go. */
  readonly profile: string | undefined;
}

export const help = `npm run bench -- [options]

Measures the service ("ours") beside the same handlers and queries without any practice ("bare") and beside the same
practices with the packages' defaults ("textbook"), in turns, over HTTPS. Needs nothing; set DATABASE_URL for
PostgreSQL.

  --seconds <n>       length of one measurement (default 4)
  --rounds <n>        measurements per app and scenario (default 3)
  --connections <n>   requests in flight (default 20)
  --only <names>      some of ${[...appNames, ...scenarioNames].join(', ')}, separated by commas
  --json              machine-readable result on stdout instead of the table
  --profile <dir>     writes a CPU profile of each app there
  --help              this text
`;

const number = { type: 'string' } as const;
const flag = { type: 'boolean', default: false } as const;
const definitions = {
  seconds: number,
  rounds: number,
  connections: number,
  only: number,
  profile: number,
  json: flag,
  help: flag,
};

/** @returns undefined when help was asked for. @throws Error for what is no option, or no value of one. */
export function readOptions(args: readonly string[]): Options | undefined {
  const { values } = parseArgs({ args: [...args], options: definitions });
  if (values.help) return undefined;
  const names = values.only?.split(',') ?? [];
  const unknown = names.find((name) => ![...appNames, ...scenarioNames].includes(name as AppName));
  if (unknown !== undefined) throw new Error(`--only does not know ${unknown}`);
  return {
    apps: chosen(appNames, names),
    scenarios: chosen(scenarioNames, names),
    seconds: whole('--seconds', values.seconds, { fallback: 4, max: 120 }),
    rounds: whole('--rounds', values.rounds, { fallback: 3, max: 100 }),
    connections: whole('--connections', values.connections, { fallback: 20, max: 1000 }),
    json: values.json,
    profile: values.profile,
  };
}

/** Names of one kind choose among that kind only; none of a kind means all of it. */
export function chosen<N extends string>(all: readonly N[], names: readonly string[]): readonly N[] {
  const some = all.filter((name) => names.includes(name));
  return some.length > 0 ? some : all;
}

/** @throws Error for what is no whole number from 1 to `max`. */
export function whole(
  name: string,
  text: string | undefined,
  { fallback, max }: { fallback: number; max: number },
): number {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= max) return value;
  throw new Error(`${name} takes a whole number from 1 to ${max}`);
}
