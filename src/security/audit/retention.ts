import type { INestApplicationContext } from '@nestjs/common';
import type { Macs } from '../../common/macs.js';
import type { PrismaClient } from '../../generated/prisma/client.js';
import { rowOf, toEntry } from './audit-entry.js';

/** Rows that one transaction looks at: short enough that nobody waits for it. */
const pageSize = 2_000;

export interface Retention {
  /** A client of the owner of the table: the role of the service may not delete from it. */
  readonly client: PrismaClient;
  readonly macs: Macs;
  readonly now: () => Date;
  /** What was done before this time goes. */
  readonly changesBefore: Date;
  /** What was refused, or failed, before this time goes. */
  readonly refusalsBefore: Date;
  /** Aborted: the page in hand is finished. */
  readonly signal: AbortSignal;
  readonly onProgress: (seen: number) => void;
}

export interface Pruned {
  readonly changes: number;
  readonly refusals: number;
  /** Lines about what is old and had to stay. */
  readonly waiting?: readonly string[];
}

type Pruning = (retention: Retention, app: INestApplicationContext) => Promise<Pruned>;

let pruning: Pruning | undefined;

/**
 * A part that has a condition of its own for what goes prunes in the place of this file.
 * @public: every user of it can be removed.
 */
export const replacePruning = (replacement: Pruning): void => void (pruning = replacement);

/** What `audit:prune` does. */
export const pruneByPolicy: Pruning = (retention, app) => (pruning ?? pruneAuditTrail)(retention, app);

interface Page extends Pruned {
  readonly seen: number;
  readonly last: string | null;
  readonly oldest: Date | null;
  readonly newest: Date | null;
}

const zeroId = '00000000-0000-0000-0000-000000000000';

/**
 * Deletes audit events that are older than the policy, in the order in which they were written, page by page. Each page
 * is a transaction with an event that says how many rows went and how new the newest was: whoever stops it half-way
 * leaves no gap that nobody explains.
 */
export async function pruneAuditTrail(retention: Retention): Promise<Pruned> {
  const total = { changes: 0, refusals: 0, seen: 0 };
  const youngest = Math.max(retention.changesBefore.getTime(), retention.refusalsBefore.getTime());
  for (let after: string | null = zeroId; after !== null && !retention.signal.aborted;) {
    const page: Page = await prunePage(retention, after);
    total.changes += page.changes;
    total.refusals += page.refusals;
    total.seen += page.seen;
    retention.onProgress(total.seen);
    // Ids are in the order of time: behind a page of young rows there are younger ones only.
    after = page.oldest !== null && page.oldest.getTime() < youngest ? page.last : null;
  }
  return total;
}

function prunePage({ client, macs, now, changesBefore, refusalsBefore }: Retention, after: string): Promise<Page> {
  return client.$transaction(async (transaction) => {
    // The trigger lets old rows go for this transaction alone.
    await transaction.$queryRaw`SELECT set_config('audit.pruning', 'on', true)`;
    const [page] = await transaction.$queryRaw<[Page]>`
      WITH page AS (SELECT id, at, outcome FROM audit_events WHERE id > ${after}::uuid ORDER BY id LIMIT ${pageSize}),
        gone AS (DELETE FROM audit_events e USING page p WHERE e.id = p.id AND e.at <
          CASE WHEN e.outcome = 'success' THEN ${changesBefore}::timestamptz ELSE ${refusalsBefore}::timestamptz END
          RETURNING e.at, e.outcome)
      SELECT (SELECT count(*)::int FROM page) AS seen, (SELECT id::text FROM page ORDER BY id DESC LIMIT 1) AS last,
        (SELECT min(at) FROM page) AS oldest, max(at) AS newest,
        (count(*) FILTER (WHERE outcome = 'success'))::int AS changes,
        (count(*) FILTER (WHERE outcome <> 'success'))::int AS refusals
      FROM gone`;
    if (page.newest === null) return page;
    const details = { changes: page.changes, refusals: page.refusals, newest: page.newest.toISOString() };
    const entry = toEntry({ action: 'audit_pruned', outcome: 'success', details }, now(), macs);
    await transaction.auditEvent.create({ data: rowOf(entry), select: { id: true } });
    return page;
  });
}
