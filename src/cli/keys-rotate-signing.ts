import { setTimeout as delay } from 'node:timers/promises';
import { knownEverywhereMs } from '../auth/index.js';
import type { Purpose } from '../security/data-protection/index.js';
import { say, type Maintenance } from './keys-maintenance.js';

interface Rotation extends Pick<Maintenance, 'signingKeys' | 'signal'> {
  readonly purpose: Purpose;
  readonly ringOnly: boolean;
  /** A signing key leaked: it counts no more, and whoever has a token of it asks for a new one. */
  readonly now: boolean;
}

type NextKey = Awaited<ReturnType<Maintenance['signingKeys']['prepare']>>;

const concerns = ({ purpose, ringOnly }: Rotation): boolean => purpose === 'jwt' && !ringOnly;

export async function forecastSigningKey(rotation: Rotation): Promise<void> {
  if (!concerns(rotation)) return;
  const keys = await rotation.signingKeys.list();
  const next = keys.find(({ state }) => state === 'next');
  if (rotation.now) say(`would delete ${keys.length} signing keys, and sign with a new one`);
  else say(next === undefined ? 'would add a signing key, and make it the active one' : `would make ${next.id} the active signing key`);
}

/** @returns the key that comes next; undefined where none does, or where it has come already. */
export async function beginSigningKey(rotation: Rotation): Promise<NextKey | undefined> {
  if (!concerns(rotation)) return undefined;
  const { signingKeys, now } = rotation;
  if (now) {
    say(`${await signingKeys.replaceAll()} signs; the keys before it are deleted, and no token of theirs counts any more`);
    return undefined;
  }
  await signingKeys.removeExpired();
  const next = await signingKeys.prepare();
  say(`${next.id} is published as the next signing key`);
  return next;
}

/** Waits until every instance knows the key: what one signs, all must be able to verify. */
export async function finishSigningKey({ signingKeys, signal }: Rotation, next: NextKey | undefined): Promise<void> {
  if (next === undefined) return;
  const left = knownEverywhereMs - (Date.now() - next.createdAt.getTime());
  // Never longer, however far ahead the clock was that dated the key.
  await delay(Math.min(Math.max(0, left), knownEverywhereMs), undefined, { signal }).catch(() => undefined);
  if (signal.aborted) return;
  const promoted = await signingKeys.promote(next.id);
  say(promoted ? `${next.id} signs from now on; the old key verifies until its last token has expired` : `another run has made ${next.id} the active signing key`);
}
