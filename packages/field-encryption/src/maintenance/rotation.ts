import { setTimeout as delay } from 'node:timers/promises';
import type { KeyRing } from '../keys/key-ring.js';
import { addNext, drop, KeyRingEditor, promote, type RingLock } from '../keys/key-ring-editor.js';
import type { KeyUse, Moved } from './key-uses.js';

/** The keys of one purpose, and who has to know of them. */
export interface PurposeKeys {
  readonly purpose: string;
  readonly use: KeyUse;
  readonly keyRing: KeyRing;
  readonly lock: RingLock;
  readonly print: (line: string) => void;
}

export interface Rotation extends PurposeKeys {
  readonly signal: AbortSignal;
  /** Changes the file and nothing else, one step at a time, for rings that have to be carried to other machines. */
  readonly ringOnly: boolean;
  /** So long a running instance may not know of a changed ring. */
  readonly ringKnownMs: number;
}

const nextKey = ({ keyRing, purpose }: PurposeKeys) => keyRing.all(purpose).find(({ state }) => state === 'next');

/** What an earlier run, or a change of the wrapper, has left under old keys. */
async function countLeft({ purpose, use, keyRing }: Rotation): Promise<number> {
  if (use.left !== undefined) return use.left();
  if (use.move === undefined) return 0;
  const old = keyRing.all(purpose).filter(({ state }) => state === 'retired');
  const counts = await Promise.all(old.map(async ({ id }) => (await use.count?.(id)) ?? 0));
  return counts.reduce((sum, count) => sum + count, 0);
}

/** What `rotate` would do, in words. */
export async function planRotation(rotation: Rotation): Promise<string> {
  const { purpose, use, keyRing, ringOnly } = rotation;
  const left = await countLeft(rotation);
  const next = nextKey(rotation);
  if (next !== undefined) return `make ${next.id} the active key of ${purpose}`;
  if (!ringOnly && (left > 0 || use.isHeldElsewhere === true))
    return `move ${left} entries to the active key of ${purpose}`;
  const entries = use.move && (await use.count?.(keyRing.active(purpose).id));
  return `add a key of the purpose ${purpose}${entries === undefined ? '' : `, and move ${entries} entries to it`}`;
}

/**
 * Makes a new key and moves everything under it. What is left to do follows from the ring and the tables: a run that
 * was stopped or killed is continued by the next.
 * @param ringIsDone an earlier run has changed the ring already.
 */
export async function rotate(rotation: Rotation, ringIsDone = false): Promise<Moved> {
  const { use, ringOnly, signal, print } = rotation;
  const none = { moved: 0, faults: 0 };
  const left = await countLeft(rotation);
  const isUnfinished = !ringOnly && left > 0 && nextKey(rotation) === undefined;
  if (!ringIsDone && !isUnfinished && use.isHeldElsewhere !== true) await changeRing(rotation);
  if (ringOnly || signal.aborted) return none;
  if (use.move !== undefined) return use.move();
  print('values under the old keys stay good; keys:retire takes an old key out when it is no longer needed');
  return none;
}

async function changeRing(rotation: Rotation): Promise<void> {
  const { keyRing, lock, ringOnly, ringKnownMs, signal } = rotation;
  await KeyRingEditor.with(keyRing, lock, async (editor) => {
    await keyRing.reload();
    await (ringOnly ? oneStep(rotation, editor) : bothSteps(rotation, editor));
  });
  // What instances still make with the old key until they know is found by the passes after this.
  if (!ringOnly) await pause(ringKnownMs, signal);
}

/** Where nothing is moved, a further run would rotate once more, before the other machines know the new key. */
async function oneStep(rotation: Rotation, editor: KeyRingEditor): Promise<void> {
  if (nextKey(rotation) === undefined) {
    await add(rotation, editor);
    return rotation.print('carry the key ring to every machine; then run this again to make the key active');
  }
  await activate(rotation, editor);
  const { move } = rotation.use;
  const nextStep = move ? 'then run this without --ring-only to finish' : 'then the rotation is complete';
  rotation.print(`carry the key ring to every machine; ${nextStep}`);
}

/** Every instance must be able to open and recognise what the first one makes with the new key. */
async function bothSteps(rotation: Rotation, editor: KeyRingEditor): Promise<void> {
  if (nextKey(rotation) === undefined) await add(rotation, editor);
  const known = nextKey(rotation)?.createdAt?.getTime() ?? Date.now();
  await pause(rotation.ringKnownMs - (Date.now() - known), rotation.signal);
  if (!rotation.signal.aborted) await activate(rotation, editor);
}

async function add(rotation: Rotation, editor: KeyRingEditor): Promise<void> {
  await editor.edit(addNext(rotation.purpose));
  rotation.print(`added ${nextKey(rotation)?.id}, not used yet`);
}

async function activate({ purpose, keyRing, print }: Rotation, editor: KeyRingEditor): Promise<void> {
  await editor.edit(promote(purpose));
  print(`${keyRing.active(purpose).id} is the active key of ${purpose}`);
}

const pause = (milliseconds: number, signal: AbortSignal): Promise<unknown> =>
  delay(Math.max(0, milliseconds), undefined, { signal }).catch(() => undefined);

/**
 * Why a key has to stay in the ring; undefined when nothing needs it.
 * @param acceptLoss takes it even where nobody can count what needs it: tokens, whose owners sign in again. Data that
 * could never be read again is never accepted.
 */
export async function retireBlocker(
  { keyRing, purpose, use }: Pick<PurposeKeys, 'keyRing' | 'purpose' | 'use'>,
  id: string,
  acceptLoss: boolean,
): Promise<string | undefined> {
  const keys = keyRing.all(purpose);
  const key = keys.find((candidate) => candidate.id === id);
  if (key === undefined) return `the ring has no such key of the purpose ${purpose}`;
  if (key.state !== 'retired') return `it is the ${key.state} key: rotate first`;
  const count = await use.count?.(id);
  if (count === undefined && acceptLoss) return undefined;
  return stillNeeded(count ?? 0, purpose, use) ?? tooEarly(use, key.retiredAt ?? keys[0]?.createdAt);
}

function stillNeeded(count: number, purpose: string, { move }: KeyUse): string | undefined {
  if (count === 0) return undefined;
  return `${count} entries need it${move === undefined ? '' : `: run keys:rotate ${purpose} again`}`;
}

function tooEarly({ neededMs }: KeyUse, retiredAt = new Date()): string | undefined {
  const until = new Date(retiredAt.getTime() + neededMs);
  return until.getTime() > Date.now() ? `values made with it may be good until ${until.toISOString()}` : undefined;
}

/** Takes a key out of the ring for good. Ask `retireBlocker` first. */
export const retire = ({ keyRing, lock, purpose }: Omit<PurposeKeys, 'use' | 'print'>, id: string): Promise<void> =>
  KeyRingEditor.with(keyRing, lock, (editor) => editor.edit(drop(purpose, id)));
