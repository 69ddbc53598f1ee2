import { toSummary, type AuditEntry } from './audit-entry.js';
import type { Macs } from '../../common/macs.js';

const windowMs = 60_000;
/** Different refusals of one kind, of one caller in one network, that get a row of their own in a window. */
const maxRowsPerCaller = 20;
/** Callers that are told apart; whoever comes from more networks than these is counted by kind alone. */
const maxCallers = 1_000;

interface Counted {
  readonly first: AuditEntry;
  repeated: number;
}

interface Caller {
  readonly since: number;
  /** Whether its actor and network are known; else it stands for many. */
  readonly isNamed: boolean;
  readonly rows: Map<string, Counted>;
}

/**
 * A refusal costs its caller one request, and must not cost the table one row, for ever. The first of each is written
 * at once; those that repeat it within a minute are counted, and one row says how many there were. So is what goes
 * beyond 20 different ones of a caller, whose row then names no target (ASVS v5.0.0-16.3.3 asks for the attempt, not
 * for a row of each).
 */
export class RepeatedRefusals {
  private readonly callers = new Map<string, Caller>();

  constructor(private readonly macs: Macs) {}

  /** @returns whether the entry is written by itself. */
  isFirst(entry: AuditEntry): boolean {
    const { rows, isNamed } = this.callerOf(entry);
    const key = JSON.stringify([entry.outcome, entry.targetType, entry.targetId, entry.details]);
    const known = rows.get(key) ?? (rows.size < maxRowsPerCaller ? undefined : rows.get(others));
    if (known !== undefined) {
      known.repeated++;
      return false;
    }
    const first = isNamed ? entry : { ...entry, actorId: null, network: null };
    const isOther = rows.size >= maxRowsPerCaller;
    if (isOther)
      rows.set(others, {
        first: { ...first, targetType: null, targetId: null, details: { others: true } },
        repeated: 1,
      });
    else rows.set(key, { first, repeated: 0 });
    return !isOther;
  }

  /**
   * A row for each kind that was repeated, once its minute is over. @param all at the end of the service: whatever was
   * counted.
   */
  summaries(now: Date, all = false): AuditEntry[] {
    const found: AuditEntry[] = [];
    for (const [name, { since, rows }] of this.callers) {
      if (!all && now.getTime() - since < windowMs) continue;
      for (const { first, repeated } of rows.values())
        if (repeated > 0) found.push(toSummary(first, repeated, now, this.macs));
      this.callers.delete(name);
    }
    return found;
  }

  private callerOf(entry: AuditEntry): Caller {
    const { action, network, actorId } = entry;
    const name = `${action} ${network} ${actorId}`;
    const isNamed = this.callers.has(name) || this.callers.size < maxCallers;
    const key = isNamed ? name : action;
    const known = this.callers.get(key);
    if (known !== undefined) return known;
    const caller = { since: entry.at.getTime(), isNamed, rows: new Map<string, Counted>() };
    this.callers.set(key, caller);
    return caller;
  }
}

const others = 'others';
