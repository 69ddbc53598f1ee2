import { Logger } from '@nestjs/common';
import type { AuditEntry } from './audit-entry.js';

type Insert = (rows: readonly AuditEntry[]) => Promise<unknown>;

/** How often a row is tried alone, while the database takes others, before it is set aside. */
const maxAttempts = 3;
/** Failing statements of one pass: enough to find a row among 500 twice, and no storm while every row fails. */
const maxFailures = 25;

/** The database is not there, or has no room, or lets nobody write: no fault of one row. */
const outageCodes = /^(?:P10|P2024|P2028|P2034|P2037|08|25|28|3D|40|42|53|55|57|58|E[A-Z])/;
/** It does not fit a type, a constraint or the client: it never will. */
const rowFaults = /^(?:22|23|P200|P201)/;

interface Pass {
  failures: number;
  wasTaken: boolean;
}

/**
 * Finds the row that the database never takes, and writes the others: halves of a batch that failed are tried by
 * themselves, so that one event which cannot be stored does not keep all behind it out of the trail.
 */
export class AuditWriter {
  private readonly logger = new Logger('AuditTrail');
  private readonly attempts = new Map<string, number>();

  /** @param setAside is told of each row that is given up. */
  constructor(
    private readonly insert: Insert,
    private readonly setAside: (row: AuditEntry, error: unknown) => void,
  ) {}

  /** @returns what has to wait for the next time, in its order. */
  async write(rows: readonly AuditEntry[]): Promise<AuditEntry[]> {
    const pass = { failures: 0, wasTaken: false };
    const left = await this.some(rows, pass);
    return left.filter(({ row, error }) => !this.isGivenUp(row, error, pass)).map(({ row }) => row);
  }

  private async some(rows: readonly AuditEntry[], pass: Pass): Promise<{ row: AuditEntry; error?: unknown }[]> {
    if (rows.length === 0 || pass.failures >= maxFailures) return rows.map((row) => ({ row }));
    try {
      await this.insert(rows);
      pass.wasTaken = true;
      return [];
    } catch (error) {
      if (pass.failures++ === 0) this.logger.error('the audit trail could not be written; it is tried again', error);
      if (isOutage(error)) pass.failures = maxFailures;
      if (rows.length === 1 || isOutage(error)) return rows.map((row) => ({ row, error }));
      const middle = Math.ceil(rows.length / 2);
      return [...(await this.some(rows.slice(0, middle), pass)), ...(await this.some(rows.slice(middle), pass))];
    }
  }

  private isGivenUp(row: AuditEntry, error: unknown, pass: Pass): boolean {
    if (
      error === undefined ||
      isOutage(error) ||
      !(pass.wasTaken || codesOf(error).some((code) => rowFaults.test(code)))
    )
      return false;
    const attempts = (this.attempts.get(row.id) ?? 0) + 1;
    if (attempts < maxAttempts) {
      this.attempts.set(row.id, attempts);
      return false;
    }
    this.attempts.delete(row.id);
    this.setAside(row, error);
    return true;
  }
}

/** What has no code at all is a connection that ended, unless the client itself refused the call. */
function isOutage(error: unknown): boolean {
  const codes = codesOf(error);
  if (codes.length === 0)
    return !(error instanceof Error && /^PrismaClient(?:Validation|UnknownRequest)Error$/.test(error.name));
  return codes.some((code) => outageCodes.test(code));
}

/**
 * The error's own code, and PostgreSQL's, which Prisma and its adapter wrap. P2010 says that a statement failed, not
 * why.
 */
function codesOf(error: unknown): string[] {
  const { code, meta, cause } = of(error);
  const inner = of(of(of(meta)['driverAdapterError'])['cause']);
  return [code, of(cause)['originalCode'], inner['originalCode']].filter(
    (one): one is string => typeof one === 'string' && one !== 'P2010',
  );
}

const of = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
