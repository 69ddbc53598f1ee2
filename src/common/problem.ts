import { HttpException } from '@nestjs/common';

/**
 * The problem types of RFC 9457 that the API answers with: slug -> status and title. The slug is part of the API: clients
 * branch on `type`, so a slug never changes its meaning.
 */
export const problemTypes = {
  'malformed-request': { status: 400, title: 'The request is malformed' },
  'unauthenticated': { status: 401, title: 'A valid credential is required' },
  'second-factor-required': { status: 401, title: 'The second factor is still due' },
  'step-up-required': { status: 401, title: 'Sign in again to do this' },
  'forbidden': { status: 403, title: 'The caller may not do this' },
  'insecure-transport': { status: 403, title: 'The request was sent over plain HTTP' },
  'not-found': { status: 404, title: 'There is nothing here, or nothing that the caller may see' },
  'method-not-allowed': { status: 405, title: 'The resource does not support this method' },
  'not-acceptable': { status: 406, title: 'The answer is not available in that form' },
  'request-timeout': { status: 408, title: 'The request took too long to arrive' },
  'conflict': { status: 409, title: 'The request conflicts with the present state' },
  'precondition-failed': { status: 412, title: 'The resource has changed since it was read' },
  'content-too-large': { status: 413, title: 'The request is larger than allowed' },
  'uri-too-long': { status: 414, title: 'The request target is longer than allowed' },
  'unsupported-media-type': { status: 415, title: 'Only application/json is accepted' },
  'misdirected-request': { status: 421, title: 'This service does not serve that host' },
  'validation-failed': { status: 422, title: 'Some values are not acceptable' },
  'precondition-required': { status: 428, title: 'The request must carry If-Match' },
  'too-many-requests': { status: 429, title: 'Too many requests' },
  'header-fields-too-large': { status: 431, title: 'The header fields are larger than allowed' },
  'internal-error': { status: 500, title: 'Something went wrong on our side' },
  'unavailable': { status: 503, title: 'The service cannot answer at the moment' },
} as const satisfies Record<string, { status: number; title: string }>;

export type ProblemType = keyof typeof problemTypes;

/** One fault of the input. `pointer` is a JSON pointer into the body, or `path:name`, `query:name`, `header:name`. */
export interface InputFault {
  readonly pointer: string;
  readonly code: string;
  readonly message: string;
}

export interface ProblemExtras {
  readonly errors?: readonly InputFault[];
  /** Response headers, for example `Retry-After`. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/**
 * The only exception that application code throws at a caller. `detail` is written for the caller: nothing internal in it.
 * security/errors/problem.filter.ts turns it into `application/problem+json`.
 */
export class Problem extends HttpException {
  constructor(
    readonly type: ProblemType,
    readonly detail?: string,
    readonly extras: ProblemExtras = {},
  ) {
    super(problemTypes[type].title, problemTypes[type].status, { cause: extras.cause });
  }
}
