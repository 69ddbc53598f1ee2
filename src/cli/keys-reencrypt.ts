import { countOutdated, counting, reencrypt, sweep } from '../security/data-protection/maintenance/index.js';
import { UsageError, type Command } from './command.js';
import { exitStopped, say, tellFaults, withMaintenance, type Maintenance } from './keys-maintenance.js';
import { Progress } from './progress.js';
import { dryRunOption, readWords } from './keys-words.js';

const usage = 'keys:reencrypt [--older-than <days>] [--dry-run]';
const dayMilliseconds = 24 * 60 * 60 * 1000;

/**
 * After a data key, or the database together with its key-encryption key, may have leaked; or by the calendar.
 * @param waits for tests, whose instances forget keys sooner. No option of the command line: too short a wait destroys a key in use.
 */
export const reencryptCommand = (waits?: Waits): Command => ({
  name: 'keys:reencrypt',
  usage: '[--older-than <days>] [--dry-run]',
  description: 'Gives subjects new data keys, seals every cell anew, and destroys the old keys.',
  async run(config, args) {
    const { values } = readWords(usage, args, { ...dryRunOption, 'older-than': { type: 'string', default: '0' } });
    const days = Number(values['older-than']);
    if (!Number.isInteger(days) || days < 0) throw new UsageError(`--older-than: a whole number of days\nusage: ${usage}`);
    const before = new Date(Date.now() - days * dayMilliseconds);
    return withMaintenance(config, (maintenance) => (values['dry-run'] ? forecast(maintenance, before) : perform(maintenance, { before, waits })));
  },
});

export const keysReencrypt = reencryptCommand();

type Waits = Parameters<typeof reencrypt>[1]['waits'];

async function forecast({ store, signal }: Maintenance, before: Date): Promise<number> {
  const outdated = counting(store, ({ state, createdAt }) => state === 'retired' || (state === 'active' && createdAt < before));
  const { changed } = await Progress.during('counting', (onProgress) => sweep(store, outdated, { signal, dryRun: true, onProgress }));
  say(`would give ${await countOutdated(store, before)} subjects a new data key, and seal ${changed} cells anew`);
  return signal.aborted ? exitStopped : 0;
}

async function perform({ store, signal, record }: Maintenance, { before, waits }: { before: Date; waits: Waits }): Promise<number> {
  let progress = new Progress('data keys');
  const report = await reencrypt(store, {
    before,
    signal,
    ...(waits && { waits }),
    onProgress: (done, total) => progress.show(done, total),
    onStep(step) {
      progress.end();
      progress = new Progress(step);
      process.stderr.write(`${step}\n`);
    },
  });
  progress.end();
  const { rekeyed, resealed, destroyed, stopped, sweep: last } = report;
  say(`${rekeyed} new data keys, ${resealed} cells sealed anew, ${destroyed} old data keys destroyed`);
  const faults = last === undefined || stopped ? (last?.faultCount ?? 0) : tellFaults(last);
  await record('keys:reencrypt', faults > 0 ? 'failure' : 'success', { rekeyed, resealed, destroyed, faults, stopped });
  if (stopped) say('stopped before the end: run it again to go on');
  return stopped ? exitStopped : Number(faults > 0);
}
