import { beginning, linkOf, type Link, type Stream } from './chain.js';
import type { NoteKeys } from './note-keys.js';
import type { SealsRepository } from './seals.repository.js';

/** What is there does not continue what was there. */
export class TamperedTrail extends Error {
  constructor(
    readonly stream: Stream,
    readonly seq: number,
    readonly what: string,
  ) {
    super(`${stream} ${seq}: ${what}`);
  }
}

interface Sources {
  readonly repository: SealsRepository;
  readonly keys: NoteKeys;
}

/**
 * The end of a chain, compared with all that is known of it: its own last link, the newest checkpoint, and what this
 * process saw last. Whoever linked on behind a broken place would cover it up.
 * @throws TamperedTrail
 */
export async function headOf(sources: Sources, stream: Stream, seen: Link | undefined): Promise<Link> {
  const anchor = await noteOf(sources, stream, 'anchor');
  const end = await endBehind(sources.repository, stream, anchor);
  const checkpoint = await noteOf(sources, stream, 'checkpoint');
  for (const known of [checkpoint, seen])
    if (known !== undefined) await assertContains(sources.repository, stream, { known, anchor, end });
  return end;
}

/** The last link, if it fits its event and the link before it; the anchor where there is none. */
async function endBehind(repository: SealsRepository, stream: Stream, anchor: Link): Promise<Link> {
  const [head, before] = await repository.newestLinks(stream, 2);
  if (head === undefined || head.seq <= anchor.seq) return anchor;
  const previous = [before, anchor].find((link) => link?.seq === head.seq - 1);
  if (previous === undefined) throw new TamperedTrail(stream, head.seq, 'the link before it is missing');
  if (head.event === undefined) throw new TamperedTrail(stream, head.seq, 'its event is missing');
  if (!linkOf(stream, previous, head.event).hash.equals(head.hash))
    throw new TamperedTrail(stream, head.seq, 'it does not fit its event and the link before it');
  return head;
}

async function noteOf({ repository, keys }: Sources, stream: Stream, kind: 'anchor' | 'checkpoint'): Promise<Link> {
  const row = await (kind === 'anchor' ? repository.newestAnchor(stream) : repository.newestCheckpoint(stream));
  if (row === null) return beginning;
  const note = keys.openRow(row, kind, stream);
  if (note !== undefined) return note;
  throw new TamperedTrail(stream, Number(row.seq), `the signature of its ${kind} does not hold`);
}

interface Places {
  readonly known: Link;
  readonly anchor: Link;
  readonly end: Link;
}

async function assertContains(repository: SealsRepository, stream: Stream, { known, anchor, end }: Places) {
  if (known.seq > end.seq)
    throw new TamperedTrail(
      stream,
      end.seq,
      `it ends here, and was at ${known.seq}: its end was cut, or it was replaced`,
    );
  if (known.seq < anchor.seq) return;
  const hash = known.seq === anchor.seq ? anchor.hash : await repository.hashAt(stream, known.seq);
  if (hash?.equals(known.hash) !== true)
    throw new TamperedTrail(stream, known.seq, 'its hash is not the one that was known');
}
