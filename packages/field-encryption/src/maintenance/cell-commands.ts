import { countOutdated } from './data-key-rotation.js';
import { reencrypt, type Waits } from './reencryption.js';
import { exitCode, exitCodes, tellFaults, type Run } from './run.js';
import { sweep, sweepUntilDone } from './sweep.js';
import { adopting, counting, verifying } from './tasks.js';

/** Proves that everything stored can be opened, or says what cannot. @returns the exit code. */
export async function verify(run: Run, json: boolean): Promise<number> {
  const { store, signal, during, print } = run;
  const report = await during('verifying', (onProgress) => sweep(store, verifying(store), { signal, onProgress }));
  const { cells, cellCount, faults, faultCount, stopped } = report;
  if (json)
    print(JSON.stringify({ cells: Object.fromEntries(cells), faultCount, faults, complete: !stopped }, null, 2));
  else {
    for (const [field, count] of cells) print(`${field.padEnd(32)} ${count}`);
    print(`${stopped ? 'stopped after' : 'opened'} ${cellCount} cells, ${faultCount} faults`);
    tellFaults(run, report);
  }
  return faultCount > 0 ? exitCodes.faults : exitCode(0, stopped);
}

/**
 * Adopts columns that held plaintext: seals what is no cell, and fills missing indexes. Whatever was planted there is
 * sealed too: never run it to mend a fault.
 * @param model all of them, when it is left out.
 * @returns the exit code.
 */
export async function encryptExisting(
  run: Run,
  { model, dryRun }: { readonly model?: string | undefined; readonly dryRun: boolean },
): Promise<number> {
  const { store, signal, during, print, record } = run;
  const report = await during('sealing', (onProgress) =>
    sweepUntilDone(store, adopting(store, dryRun), { signal, dryRun, ...(model && { model }), onProgress }),
  );
  const { changed: sealed, stopped } = report;
  print(`${dryRun ? 'would seal' : 'sealed'} ${sealed} values${stopped ? '; stopped: run it again to go on' : ''}`);
  const faults = tellFaults(run, report);
  if (dryRun) return exitCode(faults, stopped);
  const details = { sealed, faults, stopped, model: model ?? 'all' };
  await record('keys:encrypt-existing', faults > 0 ? 'failure' : 'success', details);
  if (!stopped && faults === 0) print(constraintAdvice);
  return exitCode(faults, stopped);
}

const constraintAdvice = `\
Now let the database refuse plaintext: as owner, for each adopted column (lock-free beside a running service),
  -- unless it is there
  ALTER TABLE <table> ADD CONSTRAINT <table>_<column>_check CHECK (is_sealed_cell(<column>)) NOT VALID;
  ALTER TABLE <table> VALIDATE CONSTRAINT <table>_<column>_check;`;

/** What `replaceDataKeys` would do. @returns the exit code. */
export async function forecastDataKeys({ store, signal, during, print }: Run, before: Date): Promise<number> {
  const outdated = counting(
    store,
    ({ state, createdAt }) => state === 'retired' || (state === 'active' && createdAt < before),
  );
  const { changed } = await during('counting', (onProgress) =>
    sweep(store, outdated, { signal, dryRun: true, onProgress }),
  );
  print(`would give ${await countOutdated(store, before)} subjects a new data key, and seal ${changed} cells anew`);
  return exitCode(0, signal.aborted);
}

/**
 * Gives subjects new data keys, seals every cell anew, and destroys the old keys: after a data key, or the database
 * together with its key-encryption key, may have leaked; or by the calendar.
 * @param before keys that were made before are replaced.
 * @param waits for tests, whose clients forget keys sooner: too short a wait destroys a key in use.
 * @returns the exit code.
 */
export async function replaceDataKeys(run: Run, before: Date, waits?: Waits): Promise<number> {
  const { print, record } = run;
  const report = await reencrypt(run, { before, waits });
  const { rekeyed, resealed, destroyed, stopped, sweep: last } = report;
  print(`${rekeyed} new data keys, ${resealed} cells sealed anew, ${destroyed} old data keys destroyed`);
  const faults = last === undefined || stopped ? (last?.faultCount ?? 0) : tellFaults(run, last);
  await record('keys:reencrypt', faults > 0 ? 'failure' : 'success', { rekeyed, resealed, destroyed, faults, stopped });
  if (stopped) print('stopped before the end: run it again to go on');
  return exitCode(faults, stopped);
}
