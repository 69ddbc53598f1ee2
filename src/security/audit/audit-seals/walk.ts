import { setImmediate } from 'node:timers/promises';
import type { Macs } from '../../../common/macs.js';
import type { Read } from '../../../database/index.js';
import { isGenuine } from '../audit-entry.js';
import { linkOf, streamOf, type Link, type Stream } from './chain.js';
import { linksAfter, type LinkRow } from './trail.repository.js';

export interface Finding {
  readonly stream: Stream;
  readonly seq: number | null;
  readonly event: string | null;
  readonly what: string;
}

export type Tell = (finding: Finding) => void;

interface Walk {
  readonly read: Read;
  readonly macs: Macs;
  readonly stream: Stream;
  /** Where the chain is known: the rows behind it are looked at. */
  readonly from: Link;
  readonly tell: Tell;
}

/** The links of a chain page by page, each compared with its event and with the link before it. */
export async function* walk({ read, macs, stream, from, tell }: Walk): AsyncGenerator<readonly LinkRow[], void> {
  let previous: Link = from;
  let page = await linksAfter(read, stream, previous.seq);
  for (let last = page.at(-1); last !== undefined; last = page.at(-1)) {
    // The database works on the next page while this one is looked at: it is asked before that begins.
    const next = linksAfter(read, stream, last.seq);
    // Whoever stops half-way does not wait for it.
    next.catch(() => undefined);
    await setImmediate();
    for (const row of page) {
      for (const what of faultsOf(stream, previous, row, macs))
        tell({ stream, seq: row.seq, event: row.eventId, what });
      previous = row;
    }
    yield page;
    page = await next;
  }
}

function* faultsOf(stream: Stream, previous: Link, row: LinkRow, macs: Macs): Generator<string, void> {
  const isNext = row.seq === previous.seq + 1;
  if (!isNext) yield `the links ${previous.seq + 1} to ${row.seq - 1} are missing`;
  if (row.id === null) {
    yield 'its event is missing';
    return;
  }
  if (!isGenuine(row, macs)) yield 'its event was changed, or was not written by the service: the MAC does not hold';
  if (streamOf(row.outcome) !== stream) yield 'its event belongs to the other stream';
  if (isNext && !linkOf(stream, previous, row).hash.equals(row.hash))
    yield 'it does not fit its event and the link before it';
}
