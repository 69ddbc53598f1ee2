import { Copy, type Failure } from './copy.ts';
import { withNested, type Part } from './parts.ts';
import { withDependents } from './plan.ts';
import type { Project } from './project.ts';

/** A removal to try: all of these at once. */
export interface Trial {
  readonly name: string;
  readonly parts: readonly Part[];
  /** Also the lint that knows types, and all the fast tests that are left. */
  readonly isTested: boolean;
}

interface Verdict {
  readonly trial: Trial;
  readonly seconds: number;
  /** The step that failed. */
  readonly step?: string;
  readonly failure?: Failure;
}

const dayOf = (date: Date): number => Math.floor(date.getTime() / 86_400_000);

const removable = (parts: readonly Part[]): Part[] => parts.filter(({ ground }) => ground === undefined);

/** The parts with what depends on them. */
export function trialOf(project: Project, parts: readonly Part[], chosen: readonly Part[], isTested = false): Trial {
  return trial(withDependents(project, parts, chosen), isTested);
}

const trial = (taken: readonly Part[], isTested: boolean): Trial => ({
  name: taken.map(({ name }) => name).join(' '),
  parts: taken,
  isTested,
});

/** Each of the parts with what depends on it; no two trials are the same. */
export function eachTrial(project: Project, parts: readonly Part[], chosen: readonly Part[]): Trial[] {
  const each = chosen.map((part) => trialOf(project, parts, [part]));
  return [...new Map(each.map((trial) => [trial.name, trial])).values()];
}

/** Each part that can go, and all of them at once. */
export function allTrials(project: Project, parts: readonly Part[]): Trial[] {
  const each = eachTrial(project, parts, removable(parts));
  const whole = { name: 'everything that can go', parts: removable(parts), isTested: true };
  return each.length === 0 ? [] : [...each, whole];
}

/**
 * Ways to divide parts, so that after all of them each part was once away while any other one was there that can be
 * without it: a test of one that leans on the other has failed then.
 * @param takes what goes with a part, itself among it.
 * @returns what goes, in each trial of each division.
 */
export function divisions<P>(all: readonly P[], takes: (part: P) => ReadonlySet<P>): P[][][] {
  const whole = (chosen: readonly P[]) => all.filter((part) => chosen.some((each) => takes(each).has(part)));
  const digits = Array.from({ length: Math.ceil(Math.log2(all.length)) }, (_, digit) => digit);
  // Those whose number has a one at that place, and then those that have a zero.
  const halved = digits.map((digit) =>
    [1, 0].map((value) => whole(all.filter((_, index) => ((index >> digit) & 1) === value))),
  );
  const isParted = (away: P, there: P) => halved.flat().some((taken) => taken.includes(away) && !taken.includes(there));
  // A part that needs several others goes with one of them in each half: it stays once with nothing but those.
  const unparted = all.filter((there) => all.some((away) => !takes(away).has(there) && !isParted(away, there)));
  const alone = unparted.map((there) => [all.filter((part) => !takes(part).has(there))]);
  return [...halved, ...alone].map((trials) => trials.filter((taken) => taken.length > 0));
}

/** Removals with their tests, by so many divisions of the parts, other ones each day. */
export function halves(project: Project, parts: readonly Part[], count: number, date: Date): Trial[] {
  const all = removable(parts);
  const takes = new Map(all.map((part) => [part, new Set(withNested(all, withDependents(project, parts, [part])))]));
  const every = divisions(all, (part) => takes.get(part) ?? new Set());
  const start = dayOf(date) * count;
  const chosen = Array.from({ length: Math.min(count, every.length) }, (_, index) => (start + index) % every.length);
  return chosen.flatMap((index) => (every[index] ?? []).map((taken) => trial(taken, true)));
}

/** So many of the trials, other ones each day; and those with their tests, always. */
export function rotated(trials: readonly Trial[], count: number, date: Date): Trial[] {
  const quick = trials.filter(({ isTested }) => !isTested);
  const start = dayOf(date) * count;
  const chosen = new Set(
    Array.from({ length: count }, (_, index) => quick[(start + index) % Math.max(1, quick.length)]),
  );
  return trials.filter((trial) => trial.isTested || chosen.has(trial));
}

/**
 * Tries the removals, two at a time, and those with their tests one after the other: they take both cores.
 * @returns whether all of them passed.
 */
export async function check(
  trials: readonly Trial[],
  files: readonly string[],
  print: (text: string) => void,
): Promise<boolean> {
  const verdicts: Verdict[] = [];
  const work = async (queue: Trial[]): Promise<void> => {
    if (queue.length === 0) return;
    const copy = new Copy(files);
    try {
      for (let trial = queue.shift(); trial !== undefined; trial = queue.shift()) {
        const verdict = await tryOut(trial, copy);
        verdicts.push(verdict);
        print(`[${verdicts.length}/${trials.length}] ${lineOf(verdict)}`);
        if (verdict.failure !== undefined) print(`${verdict.failure.trimEnd().slice(-8000)}\n`);
      }
    } finally {
      copy.delete();
    }
  };
  const quick = trials.filter(({ isTested }) => !isTested);
  await Promise.all([work(quick), work(quick)]);
  await work(trials.filter(({ isTested }) => isTested));
  const failed = verdicts.filter(({ step }) => step !== undefined);
  print(`\n${failed.map(lineOf).join('')}`);
  // As vitest sums up, so that .ci/run counts it.
  const counts = [
    ...(failed.length > 0 ? [`${failed.length} failed`] : []),
    `${verdicts.length - failed.length} passed`,
  ];
  print(` Tests  ${counts.join(' | ')} (${verdicts.length}), each the service without a part\n`);
  return failed.length === 0;
}

function lineOf({ step, seconds, trial }: Verdict): string {
  const sound = trial.isTested ? 'sound, tests pass' : 'sound';
  const result = `${step === undefined ? sound : `FAILED at ${step}`} (${Math.round(seconds)} s)`;
  return `${result.padEnd(32)} without ${trial.name}\n`;
}

async function tryOut(trial: Trial, copy: Copy): Promise<Verdict> {
  const began = Date.now();
  const names = trial.parts.map(({ name }) => name);
  const rules = ['src', 'packages/field-encryption/src', '--config', '.dependency-cruiser.mjs', '--output-type', 'err'];
  const steps: [name: string, run: () => Promise<Failure>][] = [
    ['removal, types and inventory', () => copy.run('scripts/remove.ts', ...names, '--force')],
    ['format', () => copy.program('oxfmt', '--check')],
    ['lint', () => (trial.isTested ? copy.program('oxlint') : copy.quickLint())],
    ['import rules', () => copy.program('depcruise', ...rules)],
    ['unused code', () => copy.program('knip')],
    ['boot', () => copy.boot()],
    // How long something takes is no matter of what was removed.
    ...(trial.isTested ? [['tests', () => copy.program('vitest', ...tests)] as (typeof steps)[number]] : []),
  ];
  copy.reset();
  for (const [step, run] of steps) {
    const failure = await run();
    if (failure !== undefined) return { trial, step, failure, seconds: (Date.now() - began) / 1000 };
  }
  return { trial, seconds: (Date.now() - began) / 1000 };
}

const tests = ['run', '--project', 'fast', '--tags-filter=!timing'];
