import { HttpException } from '@nestjs/common';
import { Problem, generalProblems, problemType, type GeneralProblem } from '../../common/http/problem.js';
import { databaseType, fastifyCodes, isOutageKind } from './error-codes.js';

const typeOfStatus = new Map<number, GeneralProblem>();
for (const slug of generalProblems) {
  const { status } = problemType(slug);
  // Some statuses have several types; the general one comes first.
  if (!typeOfStatus.has(status)) typeOfStatus.set(status, slug);
}
// Of Nest's exceptions without a type of ours: gone is not there any more, and a broken upstream is no fault that a
// caller can mend.
typeOfStatus.set(410, 'not-found').set(502, 'unavailable').set(504, 'unavailable');

/** node-postgres gives these no code. */
const outageMessages = [
  'Connection terminated',
  'timeout exceeded when trying to connect',
  'Client has encountered a connection error',
  'Client was closed',
  'Query read timeout',
  'Cannot use a pool',
  'The server does not support SSL',
];

/** @fastify/busboy gives these no code: a form that breaks off, or names no boundary. */
const brokenForms =
  /^(Unexpected end of (multipart data|form|file)|Part terminated early|Multipart: Boundary not found)/;

/**
 * The problem that stands for whatever was thrown. Only a `Problem` speaks to the caller; every other error gives its
 * type at most, because messages of libraries hold SQL, paths and values (ASVS v5.0.0-16.5.1, 13.4.6).
 */
export function problemOf(thrown: unknown): Problem {
  if (thrown instanceof Problem) return thrown;
  const type = typeOf(thrown);
  return new Problem(type, undefined, {
    cause: thrown,
    headers: type === 'unavailable' ? { 'retry-after': '5' } : undefined,
  });
}

function typeOf(thrown: unknown): GeneralProblem {
  // Nest wraps what Fastify refuses, and keeps it as the cause.
  if (thrown instanceof HttpException) return typeOfFastify(thrown.cause) ?? typeOfException(thrown.getStatus());
  const type =
    typeOfFastify(thrown) ??
    codesOf(thrown)
      .map(databaseType)
      .find((found) => found !== undefined);
  if (type !== undefined) return type;
  if (thrown instanceof Error && brokenForms.test(thrown.message)) return 'malformed-request';
  return isOutage(thrown) ? 'unavailable' : 'internal-error';
}

/**
 * What has no code that says so: the adapter's own kinds, a socket that does not connect (a unix socket that is gone),
 * node-postgres.
 */
function isOutage(thrown: unknown): boolean {
  if (!(thrown instanceof Error)) return false;
  const { kind } = coded(coded(coded(thrown).meta?.driverAdapterError ?? thrown).cause);
  return (
    isOutageKind(kind) ||
    (thrown as NodeJS.ErrnoException).syscall === 'connect' ||
    outageMessages.some((text) => thrown.message.startsWith(text))
  );
}

function typeOfFastify(thrown: unknown): GeneralProblem | undefined {
  const { code } = thrown instanceof Error ? (thrown as { code?: unknown }) : {};
  return typeof code === 'string' && code.startsWith('FST_') ? (fastifyCodes.get(code) ?? 'internal-error') : undefined;
}

/** Any other object with a status is somebody's bug, and so is an exception whose status is no error. */
const typeOfException = (status: number): GeneralProblem =>
  typeOfStatus.get(status) ?? (status >= 400 && status < 500 ? 'malformed-request' : 'internal-error');

interface Coded {
  readonly code?: unknown;
  readonly kind?: unknown;
  readonly originalCode?: unknown;
  readonly meta?: { readonly driverAdapterError?: unknown };
  readonly cause?: unknown;
}

/**
 * The error's own code, then the database's: Prisma puts PostgreSQL's SQLSTATE into `meta.driverAdapterError.cause`, or
 * throws the adapter's error as it is. Causes of any other error are not asked: whoever wrapped it did not expect it.
 */
function codesOf(thrown: unknown): string[] {
  const { code, meta } = coded(thrown);
  const { originalCode } = coded(coded(meta?.driverAdapterError ?? thrown).cause);
  return [code, originalCode].filter((one) => typeof one === 'string');
}

const coded = (value: unknown): Coded => (typeof value === 'object' && value !== null ? value : {});
