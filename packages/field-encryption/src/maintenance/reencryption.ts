import { setTimeout as delay } from 'node:timers/promises';
import { destroyRetired, finishErasures, forgottenMs, lastRekeyed, rekey } from './data-key-rotation.js';
import type { Run } from './run.js';
import { sweep, type SweepReport } from './sweep.js';
import { resealing } from './tasks.js';

/** Times in milliseconds; tests, whose clients forget keys sooner, have shorter ones. */
export interface Waits {
  readonly forgotten: number;
  /** Whoever has read a cell just before it was sealed anew may still need its key. */
  readonly read: number;
}

const defaultWaits: Waits = { forgotten: forgottenMs, read: 15_000 };

export interface Reencrypting {
  /** Keys that were made before are replaced. */
  readonly before: Date;
  readonly waits?: Waits | undefined;
}

export interface ReencryptionReport {
  rekeyed: number;
  resealed: number;
  destroyed: number;
  stopped: boolean;
  /** The last pass. */
  sweep: SweepReport | undefined;
}

type Tools = Pick<Run, 'store' | 'signal' | 'during' | 'warn'>;

/**
 * New data keys for subjects, and every cell sealed under them. It can be stopped or killed anywhere and run again:
 * what is left to do is read from the tables. Old keys go last, when a pass has found no cell of theirs and no instance
 * can hold them.
 */
export async function reencrypt(
  tools: Tools,
  { before, waits = defaultWaits }: Reencrypting,
): Promise<ReencryptionReport> {
  const { store, signal } = tools;
  const report: ReencryptionReport = { rekeyed: 0, resealed: 0, destroyed: 0, stopped: false, sweep: undefined };
  const began = new Date();
  report.rekeyed = await tools.during('making data keys', (onProgress) => rekey(store, { before, signal, onProgress }));
  report.stopped = signal.aborted;
  const newest = await lastRekeyed(store);
  if (newest === undefined || report.stopped) return report;
  const spared = await resealUntilSettled(tools, report, { settledAt: newest.getTime() + waits.forgotten, waits });
  if (spared === undefined) return report;
  await finishErasures(store, began);
  report.destroyed = await destroyRetired(store, spared, new Date(Date.now() - waits.forgotten));
  return report;
}

/**
 * @param settledAt from when on no instance seals with an old key.
 * @returns the keys that have to stay, once a pass after that found nothing to do; undefined when it came to no end.
 */
async function resealUntilSettled(
  tools: Tools,
  report: ReencryptionReport,
  { settledAt, waits }: { readonly settledAt: number; readonly waits: Waits },
): Promise<Set<string> | undefined> {
  let settled = Math.max(settledAt, Date.now() + waits.read);
  for (let fruitless = 0; fruitless < 3;) {
    const startedAt = Date.now();
    const spared = new Set<string>();
    const pass = await resealOnce(tools, spared);
    report.sweep = pass;
    report.resealed += pass.changed;
    const isIdle = pass.changed + pass.raced === 0;
    if (isIdle && startedAt >= settled && !pass.stopped) return spared;
    if (!isIdle) settled = Math.max(settled, Date.now() + waits.read);
    fruitless = pass.changed === 0 && pass.raced > 0 ? fruitless + 1 : 0;
    report.stopped = pass.stopped || (await waitUntil(settled, tools));
    if (report.stopped) return undefined;
  }
  return undefined;
}

function resealOnce({ store, signal, during, warn }: Tools, spared: Set<string>): Promise<SweepReport> {
  warn('sealing anew');
  const task = resealing(store, (keyId) => spared.add(keyId));
  return during('sealing anew', (onProgress) => sweep(store, task, { signal, onProgress }));
}

/** @returns true when it was stopped meanwhile. */
async function waitUntil(time: number, { signal, warn }: Tools): Promise<boolean> {
  const ms = Math.max(1, time - Date.now());
  warn(`waiting ${Math.ceil(ms / 1000)} s until no instance can hold an old key`);
  return delay(ms, false, { signal }).catch(() => true);
}
