import { setTimeout as delay } from 'node:timers/promises';
import { exitCode, planRotation, rotate } from '@nestjs-secure-template/field-encryption/maintenance';
import { knownEverywhereMs } from '../auth/index.js';
import { purposes, type Purpose } from '../common/macs.js';
import { ringKnownMs, ringLock } from '../security/data-protection/index.js';
import { parseArguments, print, UsageError, type Command } from './command.js';
import { withMaintenance, type Maintenance } from './keys-maintenance.js';

const usage = `keys:rotate <${purposes.join('|')}> [--ring-only] [--all] [--now] [--dry-run]`;
const flag = { type: 'boolean', default: false } as const;

interface Options {
  readonly purpose: Purpose;
  readonly ringOnly: boolean;
  readonly all: boolean;
  /** A signing key leaked: it counts no more, and whoever has a token of it asks for a new one. */
  readonly now: boolean;
}

export const keysRotate: Command = {
  name: 'keys:rotate',
  response: 'respond:rotate-key',
  usage: '<purpose> [--dry-run]',
  description: `Makes a new key and moves everything under it (${purposes.join(', ')}).`,
  async run(config, args) {
    const options = { 'ring-only': flag, 'all': flag, 'now': flag, 'dry-run': flag } as const;
    const { values, positionals } = parseArguments(usage, args, options, 1);
    const purpose = purposes.find((known) => known === positionals[0]);
    const { 'ring-only': ringOnly, all, now } = values;
    if (purpose === undefined || (now && (purpose !== 'jwt' || ringOnly))) throw new UsageError(`usage: ${usage}`);
    const perform = values['dry-run'] ? forecast : rotatePurpose;
    return withMaintenance(config, (run) => perform(run, { purpose, ringOnly, all, now }));
  },
};

const rotationOf = ({ keyRing, useOf, signal }: Maintenance, { purpose, ringOnly, all }: Options) => ({
  purpose,
  use: useOf(purpose, all),
  keyRing,
  lock: ringLock,
  print,
  signal,
  ringOnly,
  ringKnownMs,
});

async function forecast(run: Maintenance, options: Options): Promise<number> {
  print(`would ${await planRotation(rotationOf(run, options))}`);
  if (!concernsSigningKeys(options)) return 0;
  const keys = await run.signingKeys.list();
  const next = keys.find(({ state }) => state === 'next');
  if (options.now) print(`would delete ${keys.length} signing keys, and sign with a new one`);
  else if (next === undefined) print('would add a signing key, and make it the active one');
  else print(`would make ${next.id} the active signing key`);
  return 0;
}

async function rotatePurpose(run: Maintenance, options: Options): Promise<number> {
  const { purpose } = options;
  const next = concernsSigningKeys(options) ? await beginSigningKey(run, options.now) : undefined;
  const { moved, faults } = await rotate(rotationOf(run, options), isRingDone(run, next));
  if (next !== undefined) await finishSigningKey(run, next);
  const stopped = run.signal.aborted;
  const details = { purpose, activeKey: run.keyRing.active(purpose).id, moved, faults, stopped };
  await run.record('keys:rotate', faults > 0 ? 'failure' : 'success', details);
  if (stopped) print('stopped before the end: run it again to go on');
  return exitCode(faults, stopped);
}

type NextKey = Awaited<ReturnType<Maintenance['signingKeys']['prepare']>>;

const concernsSigningKeys = ({ purpose, ringOnly }: Options): boolean => purpose === 'jwt' && !ringOnly;

/**
 * A run that was stopped after the ring, and before its signing key was made the active one, must not add a further key
 * to the ring.
 */
const isRingDone = ({ keyRing }: Maintenance, next: NextKey | undefined): boolean =>
  next !== undefined &&
  keyRing
    .all('jwt')
    .some(({ state, createdAt }) => state === 'active' && createdAt !== undefined && createdAt > next.createdAt);

/** @returns the key that comes next; undefined where it has come already. */
async function beginSigningKey({ signingKeys }: Maintenance, now: boolean): Promise<NextKey | undefined> {
  if (now) {
    const id = await signingKeys.replaceAll();
    print(`${id} signs; the keys before it are deleted, and no token of theirs counts any more`);
    return undefined;
  }
  await signingKeys.removeExpired();
  const next = await signingKeys.prepare();
  print(`${next.id} is published as the next signing key`);
  return next;
}

/** Waits until every instance knows the key: what one signs, all must be able to verify. */
async function finishSigningKey({ signingKeys, signal }: Maintenance, { id, createdAt }: NextKey): Promise<void> {
  const left = knownEverywhereMs - (Date.now() - createdAt.getTime());
  // Never longer, however far ahead the clock was that dated the key.
  await delay(Math.min(Math.max(0, left), knownEverywhereMs), undefined, { signal }).catch(() => undefined);
  if (signal.aborted) return;
  print(
    (await signingKeys.promote(id))
      ? `${id} signs from now on; the old key verifies until its last token has expired`
      : `another run has made ${id} the active signing key`,
  );
}
