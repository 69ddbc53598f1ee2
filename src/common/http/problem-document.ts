import type { Problem } from './problem.js';

export interface ProblemDocument {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * The RFC 9457 answer of a problem: the one writer of error bodies, whichever layer refuses. Only what the problem says
 * for the caller is in it: never a cause, a stack or a message of a library (ASVS v5.0.0-16.5.1).
 * @param headers those of every response of the listener that answers.
 */
export function problemDocument(
  problem: Problem,
  requestId: string,
  headers: Readonly<Record<string, string>>,
): ProblemDocument {
  const { status, title } = problem.kind;
  const extra = Object.entries(problem.extras.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]);
  return {
    status,
    headers: {
      ...headers,
      ...Object.fromEntries(extra),
      'content-type': 'application/problem+json; charset=utf-8',
      'cache-control': 'no-store',
      'x-request-id': requestId,
    },
    body: JSON.stringify({
      type: `/problems/${problem.type}`,
      title,
      status,
      detail: problem.detail,
      requestId,
      errors: problem.extras.errors,
    }),
  };
}
