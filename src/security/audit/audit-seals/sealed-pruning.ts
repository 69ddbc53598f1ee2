import { rowOf, toEntry } from '../audit-entry.js';
import type { Pruned, Retention } from '../retention.js';
import { beginning, linkOf, streams, type Link, type Stream } from './chain.js';
import { exportedTo } from './exported.js';
import type { NoteKeys } from './note-keys.js';
import { beginPruning, cut, linksBehind, type PrunableLink, type Transaction } from './pruning.repository.js';

/** Rows that one transaction deletes. */
const pageRows = 2_000;

interface Page {
  readonly gone: number;
  readonly waits: boolean;
}

/**
 * Cuts the beginning of each chain, as far as it is old and has left as a file, page by page. Each page is a
 * transaction with the anchor at which the chain begins from then on, and an event: whoever stops it half-way leaves a
 * whole trail.
 */
export async function pruneSealed(keys: NoteKeys, retention: Retention): Promise<Pruned> {
  const gone = { changes: 0, refusals: 0 };
  const waiting: string[] = [];
  for (const stream of streams) {
    for (let page: Page | undefined; (page?.gone ?? pageRows) === pageRows && !retention.signal.aborted;) {
      page = await retention.client.$transaction((transaction) => prunePage(keys, retention, stream, transaction));
      gone[stream] += page.gone;
      retention.onProgress(gone.changes + gone.refusals);
      if (page.waits) waiting.push(`${stream}: older ones stay, because they were not exported: audit:export`);
    }
  }
  return { ...gone, waiting };
}

async function prunePage(keys: NoteKeys, retention: Retention, stream: Stream, client: Transaction): Promise<Page> {
  await beginPruning(client);
  const anchor = await anchorOf(keys, stream, client);
  const before = stream === 'changes' ? retention.changesBefore : retention.refusalsBefore;
  const links = await linksBehind(client, stream, { seq: anchor.seq, before, count: pageRows });
  const exports = await client.auditExport.findMany({ where: { stream }, select: { seq: true, note: true } });
  const until = exportedTo(keys, stream, anchor.seq, exports);
  const youngest = links.findIndex(({ seq, isOld }) => !isOld || seq > until);
  const old = youngest === -1 ? links : links.slice(0, youngest);
  assertContinues(stream, anchor, old);
  if (old.length > 0) await cutWithAnchor(keys, retention, stream, { client, old });
  const next = links[old.length];
  return { gone: old.length, waits: next?.isOld === true };
}

interface Cut {
  readonly client: Transaction;
  readonly old: readonly PrunableLink[];
}

async function cutWithAnchor(
  keys: NoteKeys,
  { now, macs }: Retention,
  stream: Stream,
  { client, old }: Cut,
): Promise<void> {
  const { seq = 0, hash = beginning.hash } = old.at(-1) ?? {};
  await cut(
    client,
    stream,
    old.flatMap(({ event }) => event?.id ?? []),
    seq,
  );
  const newest = new Date(Math.max(...old.map(({ at }) => at.getTime()))).toISOString();
  const extra = { count: `${old.length}`, newest, time: now().toISOString() };
  const signed = keys.sign({ kind: 'anchor', stream, seq, hash, extra });
  await client.auditAnchor.create({ data: { stream, seq, at: now(), ...signed }, select: { seq: true } });
  const details = { changes: 0, refusals: 0, [stream]: old.length, newest, seq };
  const entry = toEntry({ action: 'audit_pruned', outcome: 'success', details }, now(), macs);
  await client.auditEvent.create({ data: rowOf(entry), select: { id: true } });
}

async function anchorOf(keys: NoteKeys, stream: Stream, client: Transaction): Promise<Link> {
  const row = await client.auditAnchor.findFirst({ where: { stream }, orderBy: { seq: 'desc' } });
  const note = row === null ? beginning : keys.openRow(row, 'anchor', stream);
  return note ?? fail(stream, Number(row?.seq));
}

/** What does not fit is evidence, and stays. */
function assertContinues(stream: Stream, anchor: Link, links: readonly PrunableLink[]): void {
  let previous = anchor;
  for (const link of links) {
    const expected = link.event && linkOf(stream, previous, link.event);
    if (expected?.seq !== link.seq || !expected.hash.equals(link.hash)) fail(stream, link.seq);
    previous = link;
  }
}

function fail(stream: Stream, seq: number): never {
  throw new Error(
    `${stream} ${seq}: the trail was tampered with, and nothing behind it is deleted: audit:verify tells`,
  );
}
