import { Prisma } from '../generated/prisma/client.js';

interface DriverError {
  readonly meta?: { readonly driverAdapterError?: unknown };
  readonly cause?: { readonly code?: unknown; readonly originalCode?: unknown };
}

/** PostgreSQL's own code of a statement or commit that it refused, such as `23505`; undefined for other errors. */
export function sqlStateOf(error: unknown): string | undefined {
  const { meta, cause } = (error ?? {}) as DriverError;
  // Prisma wraps the adapter's error, except at the commit.
  const found = (meta?.driverAdapterError as DriverError | undefined)?.cause ?? cause;
  const code = found?.originalCode ?? found?.code;
  return typeof code === 'string' ? code : undefined;
}

/**
 * True when a statement was refused because another row has the value that must be unique: somebody else was faster.
 */
export const isUniqueViolation = (error: unknown): boolean =>
  error instanceof Prisma.PrismaClientKnownRequestError &&
  (error.code === 'P2002' || (error.code === 'P2010' && sqlStateOf(error) === '23505'));
