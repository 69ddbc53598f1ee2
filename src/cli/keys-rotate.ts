import { setTimeout as delay } from 'node:timers/promises';
import { KeyRingEditor, addNext, keyUses, promote, reindexing, rewrap, ringKnownMilliseconds, sweepUntilDone, countWrappedOtherwise } from '../security/data-protection/maintenance/index.js';
import { purposes, type Purpose } from '../security/data-protection/index.js';
import { UsageError, type Command } from './command.js';
import { exitStopped, say, tellFaults, withMaintenance, type Maintenance } from './keys-maintenance.js';
import { beginSigningKey, finishSigningKey, forecastSigningKey } from './keys-rotate-signing.js';
import { Progress } from './progress.js';
import { dryRunOption, readWords } from './keys-words.js';

const usage = `keys:rotate <${purposes.join('|')}> [--ring-only] [--all] [--now] [--dry-run]`;

interface Rotation extends Maintenance {
  readonly purpose: Purpose;
  /** Changes the file and nothing else, one step at a time, for rings that have to be carried to other machines. */
  readonly ringOnly: boolean;
  /** Wraps data keys anew that are wrapped with the right key already. */
  readonly all: boolean;
  readonly now: boolean;
  readonly dryRun: boolean;
}

/** What is left to do follows from the ring and the tables: a run that was stopped or killed is continued by the next. */
export const keysRotate: Command = {
  name: 'keys:rotate',
  usage: '<purpose> [--dry-run]',
  description: `Makes a new key and moves everything under it (${purposes.join(', ')}).`,
  async run(config, args) {
    const flag = { type: 'boolean', default: false } as const;
    const options = { ...dryRunOption, 'ring-only': flag, all: flag, now: flag } as const;
    const { values, positionals } = readWords(usage, args, options, [1, 1]);
    const purpose = purposes.find((known) => known === positionals[0]);
    const { 'ring-only': ringOnly, all, now, 'dry-run': dryRun } = values;
    if (purpose === undefined || (now && (purpose !== 'jwt' || ringOnly))) throw new UsageError(`usage: ${usage}`);
    return withMaintenance(config, (maintenance) => rotate({ ...maintenance, purpose, ringOnly, all, now, dryRun }));
  },
};

async function rotate(rotation: Rotation): Promise<number> {
  const { purpose, ringOnly, signal, record, keyRing, dryRun } = rotation;
  const left = await countLeft(rotation);
  if (dryRun) {
    say(`would ${await plan(rotation, left)}`);
    await forecastSigningKey(rotation);
    return 0;
  }
  const next = await beginSigningKey(rotation);
  if (!ringIsDone(rotation, next)) await changeRing(rotation, left);
  const { moved, faults } = ringOnly || signal.aborted ? { moved: 0, faults: 0 } : await move(rotation);
  await finishSigningKey(rotation, next);
  const stopped = signal.aborted;
  await record('keys:rotate', faults > 0 ? 'failure' : 'success', { purpose, activeKey: keyRing.active(purpose).id, moved, faults, stopped });
  if (stopped) say('stopped before the end: run it again to go on');
  return stopped ? exitStopped : Number(faults > 0);
}

/** Who holds the key-encryption key, when it is not the ring: then there is nothing to add to the ring. */
const keyService = ({ purpose, store }: Rotation): string | undefined => {
  const [wrapper] = store.options.wrappers;
  return (purpose === 'pii' || purpose === 'jwt') && wrapper?.name !== 'local' ? wrapper?.name : undefined;
};

/** What an earlier run, or a change of the wrapper, has left under old keys. */
async function countLeft({ purpose, store, keyRing, all, uses: usesOf }: Rotation): Promise<number> {
  if (purpose === 'pii' || purpose === 'jwt') return countWrappedOtherwise(store, purpose, all);
  const old = keyRing.all(purpose).filter(({ state }) => state === 'retired');
  const uses = await Promise.all(old.map(({ id }) => (purpose === 'authority' ? usesOf(purpose, id) : keyUses(store, purpose, id))));
  return uses.reduce<number>((sum, count) => sum + (count ?? 0), 0);
}

/** A run that was stopped after the ring, and before its signing key was made the active one, must not add a further key to the ring. */
const ringIsDone = ({ keyRing }: Rotation, signing: { createdAt: Date } | undefined): boolean =>
  signing !== undefined && keyRing.all('jwt').some(({ state, createdAt }) => state === 'active' && createdAt !== undefined && createdAt > signing.createdAt);

const nextKey = ({ keyRing, purpose }: Rotation) => keyRing.all(purpose).find(({ state }) => state === 'next');

async function plan(rotation: Rotation, left: number): Promise<string> {
  const { purpose, keyRing, ringOnly, store } = rotation;
  const next = nextKey(rotation);
  if (next !== undefined) return `make ${next.id} the active key of ${purpose}`;
  if (!ringOnly && (left > 0 || keyService(rotation) !== undefined)) return `move ${left} entries to the active key of ${purpose}`;
  const uses = await keyUses(store, purpose, keyRing.active(purpose).id);
  return `add a key of the purpose ${purpose}${uses === undefined ? '' : `, and move ${uses} entries to it`}`;
}

async function changeRing(rotation: Rotation, left: number): Promise<void> {
  const { purpose, config, keyRing, ringOnly, signal } = rotation;
  if (keyService(rotation) !== undefined || (!ringOnly && left > 0 && nextKey(rotation) === undefined)) return;
  await KeyRingEditor.with(config.keyRingFile, async (editor) => {
    await keyRing.reload();
    const present = nextKey(rotation);
    if (present === undefined) {
      await editor.edit(addNext(purpose));
      await keyRing.reload();
      say(`added ${nextKey(rotation)?.id}, not used yet`);
      if (ringOnly) return say('carry the key ring to every machine; then run this again to make the key active');
    }
    // Every instance must be able to open and recognise what the first one makes with the new key.
    if (!ringOnly) await pause(ringKnownMilliseconds - (Date.now() - (nextKey(rotation)?.createdAt?.getTime() ?? Date.now())), signal);
    if (signal.aborted) return;
    await editor.edit(promote(purpose));
    await keyRing.reload();
    say(`${keyRing.active(purpose).id} is the active key of ${purpose}`);
    if (ringOnly) return say(`carry the key ring to every machine; ${whatThen(purpose)}`);
  });
  // What instances still make with the old key until they know is found by the passes after this.
  if (!ringOnly) await pause(ringKnownMilliseconds, signal);
}

/** Where nothing is moved, a further run would rotate once more, before the other machines know the new key. */
const whatThen = (purpose: Purpose): string =>
  ['pii', 'jwt', 'blind-index', 'authority'].includes(purpose) ? 'then run this without --ring-only to finish' : 'then the rotation is complete';

const pause = (milliseconds: number, signal: AbortSignal): Promise<unknown> => delay(Math.max(0, milliseconds), undefined, { signal }).catch(() => undefined);

async function move(rotation: Rotation): Promise<{ moved: number; faults: number }> {
  if (rotation.purpose === 'pii' || rotation.purpose === 'jwt') return rewrapAll(rotation, rotation.purpose);
  if (rotation.purpose === 'blind-index') return reindexAll(rotation);
  if (rotation.purpose === 'authority') return resealAll(rotation);
  say('values under the old keys stay good; keys:retire takes an old key out when it is no longer needed');
  return { moved: 0, faults: 0 };
}

async function rewrapAll({ store, signal, all }: Rotation, purpose: 'pii' | 'jwt') {
  const total = await countWrappedOtherwise(store, purpose, all);
  // Of all passes: those after the first do not come by a broken key again whose wrapping key has the right name.
  const broken = new Set<string>();
  let moved = 0;
  await Progress.during('wrapping data keys', async (show) => {
    const onProgress = (done: number) => show(moved + done, Math.max(moved + done, total));
    let report;
    do {
      report = await rewrap(store, purpose, { signal, all: all && report === undefined, onProgress });
      moved += report.rewrapped;
      for (const id of report.broken) broken.add(id);
    } while (report.rewrapped + report.raced > 0 && !report.stopped);
  });
  say(`${moved} data keys wrapped anew, ${broken.size} faults`);
  for (const id of [...broken].slice(0, 20)) process.stderr.write(`DataKey ${id} broken-key\n`);
  return { moved, faults: broken.size };
}

async function reindexAll({ store, signal }: Rotation) {
  const report = await Progress.during('indexing anew', (onProgress) => sweepUntilDone(store, reindexing(store), { signal, onProgress }));
  say(`${report.changed} index entries made anew, ${report.faultCount} faults`);
  return { moved: report.changed, faults: tellFaults(report) };
}

async function resealAll({ reseal }: Rotation) {
  const report = await reseal();
  say(`${report.moved} accounts and sessions sealed anew, ${report.faults} faults`);
  return report;
}
