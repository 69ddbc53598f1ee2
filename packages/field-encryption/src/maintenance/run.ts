import type { StoredCells } from './stored-cells.js';
import type { SweepReport } from './sweep.js';

/** How far the work is; `total` is left out when nobody knows. */
export type Progress = (done: number, total?: number) => void;

/** What a command on keys and cells works with. */
export interface Run {
  readonly store: StoredCells;
  /** Aborted: finish what is in hand, and say how far it came. */
  readonly signal: AbortSignal;
  /** A line of what was asked for. */
  readonly print: (line: string) => void;
  /** A line about what is wrong, or under way. */
  readonly warn: (line: string) => void;
  /** Shows how far the work comes while it runs. */
  readonly during: <T>(title: string, work: (onProgress: Progress) => Promise<T>) => Promise<T>;
  /** One audit event for the run: counts and key ids. */
  readonly record: (
    command: string,
    outcome: 'success' | 'failure',
    details: Readonly<Record<string, string | number | boolean>>,
  ) => Promise<void>;
}

/** What a command ends with: 1 means that faults were found. 2 is left for arguments that cannot be right. */
export const exitCodes = { done: 0, faults: 1, stopped: 3 } as const;

export const exitCode = (faults: number, stopped: boolean): number =>
  stopped ? exitCodes.stopped : faults > 0 ? exitCodes.faults : exitCodes.done;

/** Tells the first faults, names and ids only, and what is left to do. @returns how much is not as it should be. */
export function tellFaults({ warn }: Run, { faults, faultCount, raced }: SweepReport): number {
  for (const { model, field, rowId, code } of faults) warn(`${model}.${field} ${rowId} ${code}`);
  if (faultCount > faults.length) warn(`and ${faultCount - faults.length} more`);
  if (raced > 0) warn(`${raced} cells were changed by others at each attempt: run it again`);
  return faultCount + raced;
}
