import type { Macs } from '../../../common/macs.js';
import type { Read } from '../../../database/index.js';
import { isGenuine } from '../audit-entry.js';
import { beginning, streamOf, streams, type Link, type Stream } from './chain.js';
import type { SignedNote } from './note.js';
import type { NoteKeys } from './note-keys.js';
import {
  anchors,
  checkpointsBetween,
  countLinks,
  endOf,
  hashAt,
  newestCheckpoint,
  unsealedAfter,
} from './trail.repository.js';
import { walk, type Tell } from './walk.js';

export interface Verification {
  readonly read: Read;
  readonly macs: Macs;
  readonly keys: NoteKeys;
  readonly now: Date;
  /** Checkpoints that were kept elsewhere, opened. */
  readonly since: readonly SignedNote[];
  readonly tell: Tell;
  readonly onProgress: (done: number, total?: number) => void;
}

export interface Verified {
  /** Events whose link, MAC and place were looked at. */
  events: number;
  checkpoints: number;
  /** Events without a link. */
  unsealed: number;
}

/** The sealer looks at every event once an hour: what has no link for longer was put in, or has lost its link. */
const sealedWithinMs = 2 * 60 * 60 * 1000;
const firstId = '00000000-0000-0000-0000-000000000000';

/** Looks at everything, however much is wrong with it. */
export async function verifyTrail(verification: Verification): Promise<Verified> {
  const done: Verified = { events: 0, checkpoints: 0, unsealed: 0 };
  const total = await countLinks(verification.read);
  for (const stream of streams) await verifyStream({ ...verification, stream, done, total });
  await verifyUnsealed(verification, done);
  return done;
}

interface StreamVerification extends Verification {
  readonly stream: Stream;
  readonly done: Verified;
  readonly total: number;
}

async function verifyStream(verification: StreamVerification): Promise<void> {
  const { read, stream, done, total, onProgress } = verification;
  const anchor = await verifiedAnchor(verification);
  const from = await startOf(verification, anchor);
  let covered = anchor.seq === from.seq ? 0 : from.seq;
  for await (const page of walk({ ...verification, from })) {
    const last = page.at(-1)?.seq ?? covered;
    const hashes = new Map<number, Buffer>([
      [anchor.seq, anchor.hash],
      ...page.map((row) => [row.seq, row.hash] as const),
    ]);
    await verifyCheckpoints(verification, { after: covered, to: last, hashes, anchor });
    covered = last;
    done.events += page.length;
    onProgress(done.events, total);
  }
  const beyond = new Map([[anchor.seq, anchor.hash]]);
  const end = (await newestCheckpoint(read, stream))?.seq ?? 0;
  await verifyCheckpoints(verification, { after: covered, to: end, hashes: beyond, anchor });
}

/** Where the chain begins. */
async function verifiedAnchor({ read, keys, stream, tell }: StreamVerification): Promise<Link> {
  let anchor = beginning;
  for (const row of await anchors(read, stream)) {
    const note = keys.openRow(row, 'anchor', stream);
    if (note === undefined)
      tell({ stream, seq: row.seq, event: null, what: 'the signature of its anchor does not hold' });
    anchor = note ?? anchor;
  }
  return anchor;
}

/** The newest checkpoint that was kept elsewhere, if the chain contains it; else its beginning. */
async function startOf({ read, stream, since, tell }: StreamVerification, anchor: Link): Promise<Link> {
  const end = (await endOf(read, stream))?.seq ?? anchor.seq;
  let from = anchor;
  for (const known of since.filter((note) => note.stream === stream).toSorted((one, other) => one.seq - other.seq)) {
    // What an anchor stands for was deleted as old; it is signed as the checkpoint is.
    if (known.seq < anchor.seq) continue;
    const hash = known.seq === anchor.seq ? anchor.hash : await hashAt(read, stream, known.seq);
    const lost =
      'the checkpoint that was kept elsewhere is not in the trail: its end was cut, all of it was deleted, or ';
    if (hash === undefined && known.seq > end)
      tell({
        stream,
        seq: known.seq,
        event: null,
        what: `${lost}an old database was put in its place (it ends at ${end})`,
      });
    else if (hash?.equals(known.hash) !== true)
      tell({ stream, seq: known.seq, event: null, what: `${lost}it was made anew: the hash there is another one` });
    else from = known;
  }
  return from;
}

interface Range {
  readonly after: number;
  readonly to: number;
  /** The hashes that are known there, by their place. */
  readonly hashes: ReadonlyMap<number, Buffer>;
  readonly anchor: Link;
}

async function verifyCheckpoints(
  verification: StreamVerification,
  { after, to, hashes, anchor }: Range,
): Promise<void> {
  const { read, keys, stream, tell, done } = verification;
  for (let last = after; last < to;) {
    const rows = await checkpointsBetween(read, stream, last, to);
    for (const row of rows) {
      const note = keys.openRow(row, 'checkpoint', stream);
      const told = (what: string) => tell({ stream, seq: row.seq, event: null, what });
      if (note === undefined) told('the signature of its checkpoint does not hold');
      else if (row.seq >= anchor.seq && !isAt(note, hashes))
        told('its checkpoint says another hash, or the link is missing: the trail was changed before it, or cut');
    }
    done.checkpoints += rows.length;
    last = rows.at(-1)?.seq ?? to;
  }
}

const isAt = ({ seq, hash }: Link, hashes: ReadonlyMap<number, Buffer>): boolean =>
  hashes.get(seq)?.equals(hash) === true;

/** What no link covers has its MAC alone. */
async function verifyUnsealed(verification: Verification, done: Verified): Promise<void> {
  const { read, macs, tell } = verification;
  const before = (await sealedUntil(verification)).getTime() - sealedWithinMs;
  for (let after: string | null = firstId; after !== null;) {
    const { last, unsealed } = await unsealedAfter(read, after);
    for (const entry of unsealed) {
      const place = { stream: streamOf(entry.outcome), seq: null, event: entry.id };
      if (!isGenuine(entry, macs)) tell({ ...place, what: 'it was not written by the service: the MAC does not hold' });
      else if (Date.parse(entry.at) < before)
        tell({ ...place, what: 'it is old and has no link: put in, or its link is gone' });
    }
    done.unsealed += unsealed.length;
    after = last;
  }
}

/** When sealing was last at work; a service that stands still has sealed nothing since. */
async function sealedUntil({ read, now }: Verification): Promise<Date> {
  const times: number[] = [];
  for (const stream of streams) {
    for (const row of [await endOf(read, stream), await newestCheckpoint(read, stream)])
      if (row !== undefined) times.push(row.at.getTime());
  }
  return times.length === 0 ? now : new Date(Math.max(...times));
}
