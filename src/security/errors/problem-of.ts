import { HttpException } from '@nestjs/common';
import { Problem, problemTypes, type ProblemType } from '../../common/problem.js';

const typeOfStatus = new Map<number, ProblemType>();
for (const type of Object.keys(problemTypes) as ProblemType[]) {
  // 403 has two types; the general one comes first.
  if (!typeOfStatus.has(problemTypes[type].status)) typeOfStatus.set(problemTypes[type].status, type);
}

/** Prisma's and the drivers' codes for "the database is not there, or not now". */
const outage = new Set([
  'P1001', 'P1002', 'P1008', 'P1017', 'P2024', 'P2028', 'P2034', 'P2037',
  'ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT', 'EPIPE', 'EHOSTUNREACH',
  '57P01', '57P02', '57P03', '53300', 'KEY_SERVICE_UNAVAILABLE',
  // The bounds that src/database/connection.ts sets (lock, statement, idle transaction), then the victim of a deadlock and
  // of a serialization fault: the same request may well succeed in a moment.
  '55P03', '57014', '25P03', '40P01', '40001',
]); // prettier-ignore

/** A unique or foreign key that stands against the change: Prisma's codes, and PostgreSQL's out of raw queries. */
const conflicts = new Set(['P2002', 'P2003', '23505', '23503', '23001']);

/** node-postgres gives these no code. */
const outageMessages = /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error)/;

const isOutage = (thrown: unknown, codes: readonly string[]): boolean =>
  codes.some((code) => outage.has(code)) || (thrown instanceof Error && outageMessages.test(thrown.message));

/**
 * The problem that stands for whatever was thrown. Only a `Problem` speaks to the caller; every other error gives its
 * status at most, because messages of libraries hold SQL, paths and values (ASVS v5.0.0-16.5.1, 13.4.6).
 */
export function problemOf(thrown: unknown): Problem {
  if (thrown instanceof Problem) return thrown;
  const status = statusOf(thrown);
  if (status !== undefined && status < 500) return new Problem(typeOfStatus.get(status) ?? 'malformed-request');
  const codes = codesOf(thrown);
  if (codes.some((code) => conflicts.has(code))) return new Problem('conflict', undefined, { cause: thrown });
  if (codes[0] === 'P2025') return new Problem('not-found', undefined, { cause: thrown });
  if (status === 503 || isOutage(thrown, codes)) {
    return new Problem('unavailable', undefined, { cause: thrown, headers: { 'retry-after': '5' } });
  }
  return new Problem('internal-error', undefined, { cause: thrown });
}

/** The status of what Nest and Fastify themselves throw. Any other object with a `statusCode` is somebody's bug. */
function statusOf(thrown: unknown): number | undefined {
  if (thrown instanceof HttpException) return thrown.getStatus();
  if (!(thrown instanceof Error)) return undefined;
  const { code, statusCode } = thrown as { code?: unknown; statusCode?: unknown };
  const fromFastify = typeof code === 'string' && code.startsWith('FST_ERR_');
  return fromFastify && typeof statusCode === 'number' ? statusCode : undefined;
}

interface Coded {
  readonly code?: unknown;
  readonly originalCode?: unknown;
  readonly meta?: { readonly driverAdapterError?: unknown };
  readonly cause?: unknown;
}

/**
 * The error's own code, then the database's: Prisma puts PostgreSQL's SQLSTATE into `meta.driverAdapterError.cause`, or throws
 * the adapter's error as it is. Causes of any other error are not asked: whoever wrapped it did not expect it.
 */
function codesOf(thrown: unknown): string[] {
  const { code, meta } = coded(thrown);
  const { originalCode } = coded(coded(meta?.driverAdapterError ?? thrown).cause);
  return [code, originalCode].filter((one) => typeof one === 'string');
}

const coded = (value: unknown): Coded => (typeof value === 'object' && value !== null ? value : {});
