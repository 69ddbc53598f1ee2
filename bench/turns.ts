import type { Measurement } from './load.js';

/** One round: the same load in two ways. */
export interface Turn {
  readonly one: Measurement;
  readonly other: Measurement;
}

/** Begins with the other one each time: what slows the machine down for a while slows both. */
export async function inTurns(
  rounds: number,
  measureOne: () => Promise<Measurement>,
  measureOther: () => Promise<Measurement>,
): Promise<Turn[]> {
  const turns: Turn[] = [];
  for (let round = 0; round < rounds; round++) {
    if (round % 2 === 0) {
      const one = await measureOne();
      turns.push({ one, other: await measureOther() });
    } else {
      const other = await measureOther();
      turns.push({ one: await measureOne(), other });
    }
  }
  return turns;
}

export const median = (values: readonly number[]): number =>
  values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;
export const cpuOf = ({ cpuPerRequest = Number.NaN }: Measurement): number => cpuPerRequest;
