import type { Stream } from './chain.js';
import type { NoteKeys } from './note-keys.js';

interface NoteRow {
  readonly seq: number | bigint;
  readonly note: string;
}

/**
 * Up to where a stream has left as files, without a gap behind `from`. What nobody signed counts for nothing: whoever
 * writes to the database could have events deleted that nobody has.
 */
export function exportedTo(keys: NoteKeys, stream: Stream, from: number, rows: readonly NoteRow[]): number {
  const ranges = rows
    .flatMap((row) => keys.openRow(row, 'export', stream) ?? [])
    .map(({ seq, extra }) => ({ first: Number(extra['first']), last: seq }))
    .toSorted((one, other) => one.first - other.first);
  let reached = from;
  for (const { first, last } of ranges) if (first <= reached + 1) reached = Math.max(reached, last);
  return reached;
}
