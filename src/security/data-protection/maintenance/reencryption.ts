import { setTimeout as delay } from 'node:timers/promises';
import { destroyRetired, finishErasures, forgottenMilliseconds, lastRekeyed, rekey } from './data-key-rotation.js';
import type { StoredCells } from './stored-cells.js';
import { sweep, type SweepReport } from './sweep.js';
import { resealing } from './tasks.js';

/** Whoever has read a cell just before it was sealed anew may still need its key for `read` milliseconds. */
const defaultWaits = { forgotten: forgottenMilliseconds, read: 15_000 };

export interface Reencrypting {
  /** Keys that were made before are replaced. */
  readonly before: Date;
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, total: number) => void;
  /** What is being done, in words. */
  readonly onStep: (step: string) => void;
  /** For tests whose clients forget keys sooner. */
  readonly waits?: { readonly forgotten: number; readonly read: number };
}

export interface ReencryptionReport {
  rekeyed: number;
  resealed: number;
  destroyed: number;
  stopped: boolean;
  /** The last pass. */
  sweep: SweepReport | undefined;
}

/**
 * New data keys for subjects, and every cell sealed under them. It can be stopped or killed anywhere and run again: what is left
 * to do is read from the tables. Old keys go last, when a pass has found no cell of theirs and no instance can hold them.
 */
export async function reencrypt(store: StoredCells, options: Reencrypting): Promise<ReencryptionReport> {
  const report: ReencryptionReport = { rekeyed: 0, resealed: 0, destroyed: 0, stopped: false, sweep: undefined };
  const began = new Date();
  options.onStep('making data keys');
  report.rekeyed = await rekey(store, { ...options, onProgress: (done) => options.onProgress(done, Math.max(done, 1)) });
  report.stopped = options.signal.aborted;
  const newest = await lastRekeyed(store);
  if (newest === undefined || report.stopped) return report;
  const { forgotten } = options.waits ?? defaultWaits;
  const spared = await resealUntilSettled(store, { options, report, settledAt: newest.getTime() + forgotten });
  if (spared === undefined) return report;
  await finishErasures(store, began);
  report.destroyed = await destroyRetired(store, spared, new Date(Date.now() - forgotten));
  return report;
}

interface Resealing {
  readonly options: Reencrypting;
  readonly report: ReencryptionReport;
  /** From when on no instance seals with an old key. */
  readonly settledAt: number;
}

/** @returns the keys that have to stay, once a pass after `settledAt` found nothing to do; undefined when it came to no end. */
async function resealUntilSettled(store: StoredCells, { options, report, ...times }: Resealing): Promise<Set<string> | undefined> {
  const { signal, onProgress, onStep, waits = defaultWaits } = options;
  let settledAt = Math.max(times.settledAt, Date.now() + waits.read);
  for (let fruitless = 0; fruitless < 3; ) {
    const startedAt = Date.now();
    const spared = new Set<string>();
    onStep('sealing anew');
    const pass = await sweep(store, resealing(store, (keyId) => spared.add(keyId)), { signal, onProgress });
    report.sweep = pass;
    report.resealed += pass.changed;
    const idle = pass.changed + pass.raced === 0;
    if (idle && startedAt >= settledAt && !pass.stopped) return spared;
    if (!idle) settledAt = Math.max(settledAt, Date.now() + waits.read);
    fruitless = pass.changed < Math.min(1, pass.raced) ? fruitless + 1 : 0;
    onStep(`waiting ${Math.ceil((settledAt - Date.now()) / 1000)} s until no instance can hold an old key`);
    report.stopped = pass.stopped || (await delay(Math.max(1, settledAt - Date.now()), false, { signal }).catch(() => true));
    if (report.stopped) return undefined;
  }
  return undefined;
}
