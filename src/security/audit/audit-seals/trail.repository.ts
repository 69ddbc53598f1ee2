import type { Read } from '../../../database/index.js';
import type { StoredEntry } from '../audit-entry.js';
import type { Stream } from './chain.js';

/** A link as it is stored, and its event as it is stored; `id` of the event is null when that is gone. */
export interface StoredLink {
  readonly seq: number;
  readonly hash: Buffer;
  readonly eventId: string;
}
type Absent = { readonly id: null };
export type LinkRow = StoredLink & (StoredEntry | Absent);

export interface NoteRow {
  readonly seq: number;
  readonly note: string;
  readonly at: Date;
}

type Text = string | null;
/** The columns of an event as PostgreSQL writes them, in the order of the statements below. */
type EventTexts = readonly [
  ...[id: string, at: string, action: string, outcome: string],
  ...[actorId: Text, sessionId: Text, actorKind: Text, machineId: Text],
  ...[targetType: Text, targetId: Text, requestId: Text, network: Text],
  ...[details: string, macKeyId: string, mac: string],
];
type LinkTexts = readonly [seq: string, hash: string, eventId: string];

/** Links that are read at once: they are all that is in memory. */
const pageRows = 2_000;
/** Events that one statement compares with the links. */
const windowRows = 20_000;

// OFFSET 0: each row is looked up by its index. A planner that joins would read the whole table for each page.

/** A page of a chain behind that place. */
export async function linksAfter(read: Read, stream: Stream, seq: number): Promise<LinkRow[]> {
  const rows = await read.texts<readonly [...EventTexts, ...LinkTexts]>`
    SELECT e.id, e.at, e.action, e.outcome, e.actor_id, e.session_id, e.actor_kind, e.machine_id, e.target_type,
      e.target_id, e.request_id, e.network, e.details, e.mac_key_id, e.mac, l.seq, l.hash, l.event_id
    FROM (SELECT * FROM audit_links WHERE stream = ${stream} AND seq > ${seq} ORDER BY seq LIMIT ${pageRows}) l
    LEFT JOIN LATERAL (SELECT * FROM audit_events WHERE id = l.event_id OFFSET 0) e ON true ORDER BY l.seq`;
  return rows.map((row) => {
    const link = { seq: Number(row[15]), hash: Buffer.from(row[16].slice(2), 'hex'), eventId: row[17] };
    return row[0] === null ? { ...link, id: null } : Object.assign(entryOf(row), link);
  });
}

function entryOf(row: readonly [...EventTexts, ...unknown[]]): StoredEntry {
  return {
    id: row[0],
    at: isoTime(row[1]),
    action: row[2],
    outcome: row[3],
    actorId: row[4],
    sessionId: row[5],
    actorKind: row[6],
    machineId: row[7],
    targetType: row[8],
    targetId: row[9],
    requestId: row[10],
    network: row[11],
    details: JSON.parse(row[12]) as StoredEntry['details'],
    macKeyId: row[13],
    mac: row[14],
  };
}

/** `2026-11-28 07:09:22.9+00`, as the session writes it, is `2026-11-28T07:09:22.900Z`; another form stays as it is. */
function isoTime(text: string): string {
  const [, day, seconds, fraction = ''] = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d{1,3}))?\+00$/.exec(text) ?? [];
  return day === undefined ? text : `${day}T${seconds}.${fraction.padEnd(3, '0')}Z`;
}

/** Events without a link among so many behind that id, and the last id of those. */
export async function unsealedAfter(read: Read, id: string) {
  const [page] = await read<{ last: string | null; seen: number }>`
    SELECT count(*)::int AS seen, (array_agg(id ORDER BY id DESC))[1] AS last
    FROM (SELECT id FROM audit_events WHERE id > ${id} ORDER BY id LIMIT ${windowRows}) page`;
  const { last = null, seen = 0 } = page ?? {};
  const rows = await read.texts<EventTexts>`
    SELECT e.id, e.at, e.action, e.outcome, e.actor_id, e.session_id, e.actor_kind, e.machine_id, e.target_type,
      e.target_id, e.request_id, e.network, e.details, e.mac_key_id, e.mac
    FROM audit_events e WHERE e.id > ${id} AND e.id <= ${last}
      AND NOT EXISTS (SELECT FROM audit_links l WHERE l.event_id = e.id OFFSET 0) ORDER BY e.id`;
  return { last, seen, unsealed: rows.map(entryOf) };
}

/** How many links and events there are, for the bar. */
export async function countLinks(read: Read): Promise<number> {
  const [row] = await read<{ count: number }>`
    SELECT coalesce(sum(last - first + 1), 0)::float8 AS count
    FROM (SELECT min(seq) AS first, max(seq) AS last FROM audit_links GROUP BY stream) AS chains`;
  return row?.count ?? 0;
}

export async function endOf(read: Read, stream: Stream): Promise<(StoredLink & { readonly at: Date }) | undefined> {
  const [row] = await read<StoredLink & { readonly at: Date }>`
    SELECT seq::float8 AS seq, hash, event_id AS "eventId", at FROM audit_links
    WHERE stream = ${stream} ORDER BY seq DESC LIMIT 1`;
  return row;
}

export async function hashAt(read: Read, stream: Stream, seq: number): Promise<Buffer | undefined> {
  const [row] = await read<{ hash: Buffer }>`SELECT hash FROM audit_links WHERE stream = ${stream} AND seq = ${seq}`;
  return row?.hash;
}

/** A page of the checkpoints behind that place, up to another. */
export const checkpointsBetween = (read: Read, stream: Stream, after: number, to: number): Promise<NoteRow[]> =>
  read<NoteRow>`SELECT seq::float8 AS seq, note, at FROM audit_checkpoints
    WHERE stream = ${stream} AND seq > ${after} AND seq <= ${to} ORDER BY seq LIMIT ${pageRows}`;

export async function newestCheckpoint(read: Read, stream: Stream): Promise<NoteRow | undefined> {
  const [row] = await read<NoteRow>`SELECT seq::float8 AS seq, note, at FROM audit_checkpoints
    WHERE stream = ${stream} ORDER BY seq DESC LIMIT 1`;
  return row;
}

export const anchors = (read: Read, stream: Stream): Promise<NoteRow[]> =>
  read<NoteRow>`SELECT seq::float8 AS seq, note, at FROM audit_anchors WHERE stream = ${stream} ORDER BY seq`;
