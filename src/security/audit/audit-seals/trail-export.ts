import { open, type FileHandle } from 'node:fs/promises';
import type { Macs } from '../../../common/macs.js';
import type { Read } from '../../../database/index.js';
import { beginning, streams, type Link, type Stream } from './chain.js';
import type { Format } from './formats/record.js';
import { lengthOf, writeManifest, type Manifest, type Place, type Span } from './manifest.js';
import type { NoteKeys } from './note-keys.js';
import { anchors, endOf, type LinkRow } from './trail.repository.js';
import { walk, type Finding } from './walk.js';

export interface TrailExport {
  readonly read: Read;
  readonly macs: Macs;
  readonly out: string;
  readonly format: Format;
  /** Aborted: the page in hand is finished. */
  readonly signal: AbortSignal;
  readonly onProgress: (done: number) => void;
}

export const placeOf = ({ seq, hash }: Link): Place => ({ seq, hash: hash.toString('base64') });
const linkAt = ({ seq, hash }: Place): Link => ({ seq, hash: Buffer.from(hash, 'base64') });

/** What is to be exported of a stream: what is there now, behind where it begins or where an earlier export ended. */
export async function spanOf(read: Read, keys: NoteKeys, stream: Stream, after: Place | undefined): Promise<Span> {
  const row = (await anchors(read, stream)).at(-1);
  const anchor = row === undefined ? beginning : keys.openRow(row, 'anchor', stream);
  if (anchor === undefined) throw new Error(`${stream} ${row?.seq}: the signature of its anchor does not hold`);
  if (after !== undefined && after.seq < anchor.seq)
    throw new Error(`${stream}: what followed that export was deleted, up to ${anchor.seq}`);
  const from = after ?? placeOf(anchor);
  const until = Math.max(from.seq, (await endOf(read, stream))?.seq ?? 0);
  return { from, until, to: from, done: false };
}

/** Appends what is missing to the file, page by page. @returns the manifest as it is then. */
export async function exportTrail(task: TrailExport, begun: Manifest): Promise<Manifest> {
  const file = await open(task.out, begun.bytes === 0 ? 'w' : 'r+', 0o600);
  try {
    // A page that was written, and whose manifest was not.
    await file.truncate(begun.bytes);
    let manifest = begun;
    for (const stream of streams) manifest = await exportStream(task, file, stream, manifest);
    return manifest;
  } finally {
    await file.close();
  }
}

async function exportStream(task: TrailExport, file: FileHandle, stream: Stream, begun: Manifest): Promise<Manifest> {
  let manifest = begun;
  const { until, to, done } = manifest.spans[stream];
  if (done || task.signal.aborted) return manifest;
  for await (const page of walk({ ...task, stream, from: linkAt(to), tell: failOn })) {
    const rows = page.slice(0, indexOfEnd(page, until, manifest.until));
    manifest = await appendPage(task, file, stream, { manifest, rows });
    task.onProgress(lengthOf(manifest.spans.changes) + lengthOf(manifest.spans.refusals));
    if (rows.length < page.length) break;
    if (task.signal.aborted) return manifest;
  }
  const span = { ...manifest.spans[stream], done: true };
  manifest = { ...manifest, spans: { ...manifest.spans, [stream]: span } };
  await writeManifest(task.out, manifest);
  return manifest;
}

/** The first that is not exported: written after the export began, or as late as `date`. */
function indexOfEnd(page: readonly LinkRow[], until: number, date: string | null): number {
  const end = page.findIndex(
    (row) => row.seq > until || (date !== null && row.id !== null && new Date(row.at) >= new Date(date)),
  );
  return end === -1 ? page.length : end;
}

interface Appended {
  readonly manifest: Manifest;
  readonly rows: readonly LinkRow[];
}

/** The file first, then what says that it is whole so far. */
async function appendPage(task: TrailExport, file: FileHandle, stream: Stream, { manifest, rows }: Appended) {
  const last = rows.at(-1);
  if (last === undefined) return manifest;
  const lines = rows.flatMap((row) =>
    row.id === null
      ? []
      : [`${task.format({ stream, seq: row.seq, hash: row.hash, event: { ...row, at: new Date(row.at) } })}\n`],
  );
  const bytes = Buffer.from(lines.join(''));
  await file.write(bytes, 0, bytes.length, manifest.bytes);
  await file.sync();
  const span: Span = { ...manifest.spans[stream], to: placeOf(last) };
  const next = { ...manifest, bytes: manifest.bytes + bytes.length, spans: { ...manifest.spans, [stream]: span } };
  await writeManifest(task.out, next);
  return next;
}

/** A file that is archived must be worth it. */
function failOn({ stream, seq, what }: Finding): never {
  throw new Error(`${stream} ${seq}: ${what}; nothing behind it is exported: audit:verify tells everything`);
}
