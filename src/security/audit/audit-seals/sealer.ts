import { randomUUIDv7 } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Clock } from '../../../common/clock.js';
import { Database } from '../../../database/index.js';
import { linkOf, streamOf, streams, type Link, type Stream } from './chain.js';
import { headOf, TamperedTrail } from './head.js';
import { NoteKeys } from './note-keys.js';
import { SealsRepository, windowRows, type UnsealedEvent } from './seals.repository.js';

/**
 * An event is visible so long after its id was made, at the most: 10 s of a transaction, a batch of refusals, clocks
 * that differ. What waited for longer, through an outage, is found by a sweep.
 */
const horizonMs = 30_000;
/** One stream of several instances has one checkpoint a minute. */
const betweenCheckpointsMs = 50_000;
const firstId = '00000000-0000-0000-0000-000000000000';

/** The id that an event of then would have: ids come from the system's clock (UUIDv7, RFC 9562 s5.7). */
function idOf(millisecondsAgo: number): string {
  const now = Number.parseInt(randomUUIDv7().replace('-', '').slice(0, 12), 16);
  const hex = Math.max(0, Math.floor(now - millisecondsAgo))
    .toString(16)
    .padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}

export interface Checkpoint {
  readonly stream: Stream;
  readonly seq: number;
  readonly note: string;
}

/** Links events into the chains, in transactions of its own: whoever is killed leaves a whole chain or nothing. */
@Injectable()
export class Sealer {
  /** Streams that are broken: sealing on would cover that up. Each round looks whether they are as they were. */
  readonly broken = new Map<Stream, TamperedTrail>();
  private readonly seen = new Map<Stream, Link>();

  constructor(
    private readonly database: Database,
    private readonly repository: SealsRepository,
    private readonly keys: NoteKeys,
    private readonly clock: Clock,
  ) {}

  /** @returns false when another instance was at it. */
  sealRecent(): Promise<boolean> {
    return this.sealFrom(idOf(horizonMs));
  }

  /** Looks at every event. @returns false when it did not come to the end. */
  sealAll(signal?: AbortSignal): Promise<boolean> {
    return this.sealFrom(firstId, signal);
  }

  /** Events without a link since so many milliseconds, 10,000 at most. */
  countUnsealed(sinceMs: number): Promise<number> {
    return this.repository.countUnsealed(idOf(sinceMs + horizonMs));
  }

  /** Signs where each chain is, unless that was done already. @param last at the end of the service: also early. */
  checkpoint(last = false): Promise<Checkpoint[]> {
    return this.database.transaction(async () => {
      const made: Checkpoint[] = [];
      if (!(await this.repository.tryLock())) return made;
      const at = this.clock.now();
      for (const stream of streams) {
        const newest = await this.repository.newestCheckpoint(stream);
        if (newest !== null && !last && at.getTime() - newest.at.getTime() < betweenCheckpointsMs) continue;
        const head = await this.headOf(stream);
        if (head === undefined || head.seq <= Number(newest?.seq ?? 0)) continue;
        const extra = { time: at.toISOString() };
        const signed = this.keys.sign({ kind: 'checkpoint', stream, ...head, extra });
        await this.repository.addCheckpoint({ stream, seq: head.seq, at, ...signed });
        made.push({ stream, seq: head.seq, note: signed.note });
      }
      return made;
    });
  }

  private async sealFrom(first: string, signal?: AbortSignal): Promise<boolean> {
    for (let after = first; ;) {
      const page = await this.database.transaction(async () => {
        if (!(await this.repository.tryLock())) return undefined;
        const found = await this.repository.window(after);
        for (const stream of streams)
          await this.link(
            stream,
            found.unsealed.filter(({ outcome }) => streamOf(outcome) === stream),
          );
        return found;
      });
      if (page?.last === undefined || signal?.aborted === true) return false;
      if (page.seen < windowRows || page.last === null) return true;
      after = page.last;
    }
  }

  private async link(stream: Stream, events: readonly UnsealedEvent[]): Promise<void> {
    if (events.length === 0 && !this.broken.has(stream)) return;
    let end = await this.headOf(stream);
    if (end === undefined || events.length === 0) return;
    const links: Link[] = [];
    for (const event of events) links.push((end = linkOf(stream, end, event)));
    await this.repository.append(stream, links, events, this.clock.now());
  }

  /** Undefined for a broken stream; one that is as it was is broken no more. */
  private async headOf(stream: Stream): Promise<Link | undefined> {
    try {
      const head = await headOf({ repository: this.repository, keys: this.keys }, stream, this.seen.get(stream));
      this.seen.set(stream, head);
      this.broken.delete(stream);
      return head;
    } catch (error) {
      if (!(error instanceof TamperedTrail)) throw error;
      this.broken.set(stream, error);
      return undefined;
    }
  }
}
