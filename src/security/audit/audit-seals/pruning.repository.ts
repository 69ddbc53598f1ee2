import type { PrismaClient } from '../../../generated/prisma/client.js';
import type { Link, LinkedEvent, Stream } from './chain.js';
import { sealLock } from './seals.repository.js';

export type Transaction = Parameters<Parameters<PrismaClient['$transaction']>[0]>[0];

/** Old by the policy, or not; `id` is null where the event is gone. */
export interface PrunableLink extends Link {
  readonly event: LinkedEvent | undefined;
  readonly at: Date;
  readonly isOld: boolean;
}

interface Row extends LinkedEvent {
  readonly seq: number;
  readonly hash: Uint8Array;
  readonly at: Date;
  readonly isOld: boolean;
}

/** For this transaction alone the triggers let old rows go, and no sealer works meanwhile. */
export async function beginPruning(transaction: Transaction): Promise<void> {
  await transaction.$queryRaw`SELECT set_config('audit.pruning', 'on', true)`;
  await transaction.$queryRaw`SELECT pg_advisory_xact_lock(${sealLock}::bigint)::text`;
}

/** The links behind a place. None is old whose seal is younger than the 30 days of the trigger. */
export async function linksBehind(
  transaction: Transaction,
  stream: Stream,
  { seq, before, count }: { seq: number; before: Date; count: number },
): Promise<PrunableLink[]> {
  const rows = await transaction.$queryRaw<Row[]>`
    SELECT l.seq::float8 AS seq, l.hash, e.id::text AS id, e.mac_key_id AS "macKeyId", e.mac, e.at,
      coalesce(e.at < ${before}::timestamptz AND l.at < now() - interval '30 days', false) AS "isOld"
    FROM (SELECT * FROM audit_links WHERE stream = ${stream} AND seq > ${seq} ORDER BY seq LIMIT ${count}) l
    LEFT JOIN LATERAL (SELECT * FROM audit_events WHERE id = l.event_id OFFSET 0) e ON true ORDER BY l.seq`;
  return rows.map(({ hash, id, macKeyId, mac, ...row }) => ({
    ...row,
    hash: Buffer.from(hash),
    event: (id as string | null) === null ? undefined : { id, macKeyId, mac },
  }));
}

/** Deletes those events, their links, and the notes that the new anchor replaces. */
export async function cut(
  transaction: Transaction,
  stream: Stream,
  ids: readonly string[],
  seq: number,
): Promise<void> {
  await transaction.$executeRaw`DELETE FROM audit_events WHERE id = ANY(${[...ids]}::uuid[])`;
  await transaction.$executeRaw`DELETE FROM audit_links WHERE stream = ${stream} AND seq <= ${seq}`;
  await transaction.$executeRaw`DELETE FROM audit_checkpoints
    WHERE stream = ${stream} AND seq < ${seq} AND at < now() - interval '30 days'`;
  await transaction.$executeRaw`DELETE FROM audit_anchors
    WHERE stream = ${stream} AND seq < ${seq} AND at < now() - interval '30 days'`;
  await transaction.$executeRaw`DELETE FROM audit_exports
    WHERE stream = ${stream} AND seq < ${seq} AND at < now() - interval '30 days'`;
}
