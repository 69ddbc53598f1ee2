import { HttpException } from '@nestjs/common';
import { Declarations } from '../declarations.js';

/**
 * What a client is told of one kind of problem: in the problem document `status` and `title`, on its page all of it.
 */
interface ProblemDescription {
  readonly status: number;
  readonly title: string;
  /** Why it is answered. Written for callers: nothing internal. */
  readonly cause: string;
  /** What the caller can do about it. */
  readonly remedy: string;
  /** A practice answers with it before any handler, wherever the request was going: the API description says so. */
  readonly isAnywhere?: true;
}

/** A problem type of RFC 9457. Its name is the slug of its page, `/problems/<slug>`. */
export type ProblemType = Readonly<ProblemDescription & { name: string }>;

const declared = new Declarations<ProblemType>('problem type');

/**
 * A problem that only one feature has. The slug is part of the API: clients branch on `type`, so a slug never changes
 * its meaning.
 * @throws Error for a slug that is there already.
 */
export const defineProblemType = (name: string, description: ProblemDescription): ProblemType =>
  declared.add({ name, ...description });

/** Every type that the API answers with, by status. */
export const problemTypes = (): readonly ProblemType[] =>
  declared.list().toSorted((one, other) => one.status - other.status);

/** What any route may answer with. */
const general = {
  'malformed-request': {
    status: 400,
    title: 'The request is malformed',
    cause:
      'The request cannot be read as what this route takes: the JSON is broken, ' +
      'a field or parameter is unknown, or a parameter has the wrong form.',
    remedy:
      'Mend what `errors` or `detail` names, and compare with the API description. Sent again unchanged, ' +
      'it fails again.',
  },
  'unauthenticated': {
    status: 401,
    title: 'A valid credential is required',
    cause: 'The request carries no credential, or one that is expired, revoked or not ours.',
    remedy: 'Sign in, or refresh the session, and send the access token as `Authorization: Bearer ...`.',
  },
  'second-factor-required': {
    status: 401,
    title: 'The second factor is still due',
    cause: 'The password was right, and the account demands a second factor before anything else.',
    remedy: 'Send the code, the passkey or the recovery code of one of the listed factors, then repeat the request.',
  },
  'step-up-required': {
    status: 401,
    title: 'Sign in again to do this',
    cause: 'What was asked for needs a proof of identity of the last five minutes, and the session is older.',
    remedy: 'Sign in again with all factors, and repeat the request with the new access token.',
  },
  'forbidden': {
    status: 403,
    title: 'The caller may not do this',
    cause:
      'The caller is known, and has not the permission that this action needs; ' +
      'or a browser called from an origin that may not.',
    remedy: 'Ask the owner of the object, or an administrator, for the permission. Signing in again changes nothing.',
  },
  'insecure-transport': {
    status: 403,
    title: 'The request was sent over plain HTTP',
    cause:
      'The request came unencrypted. Whatever was in it may have been read on the way. ' +
      '`detail` says which kinds of credentials were revoked for that.',
    remedy: 'Use https:// from the first request on, and sign in again. Change a password that was in it.',
  },
  'not-found': {
    status: 404,
    title: 'There is nothing here, or nothing that the caller may see',
    cause:
      'The address is unknown, the object does not exist or was deleted, or the caller may not know of it. ' +
      'These are told apart to nobody.',
    remedy:
      'Check the address and the account that you are signed in to. Ask the owner whether the object is shared ' +
      'with you.',
  },
  'method-not-allowed': {
    status: 405,
    title: 'The resource does not support this method',
    cause: 'The address exists, but not with this HTTP method.',
    remedy: 'Use one of the methods in the `Allow` header.',
  },
  'not-acceptable': {
    status: 406,
    title: 'The answer is not available in that form',
    cause: 'The `Accept` header names no form in which this answer exists.',
    remedy: 'Accept `application/json`, or leave the header out.',
  },
  'request-timeout': {
    status: 408,
    title: 'The request took too long to arrive',
    cause: 'The request was not complete within the time that the service waits for it.',
    remedy: 'Send it again at once, in one piece. On a slow line, send less.',
  },
  'conflict': {
    status: 409,
    title: 'The request conflicts with the present state',
    cause:
      'What was asked for stands against something that exists: a duplicate, a quota that is full, ' +
      'a change at the same time.',
    remedy: 'Read the present state, and decide anew. `detail` says what stands against it where the caller may know.',
  },
  'precondition-failed': {
    status: 412,
    title: 'The resource has changed since it was read',
    cause: 'The version in `If-Match` is not the present one: somebody else has changed the object.',
    remedy: 'Read the object again, merge the changes, and send them with the new ETag.',
  },
  'content-too-large': {
    status: 413,
    title: 'The request is larger than allowed',
    cause: 'The body has more bytes than the service takes.',
    remedy: 'Send less, or in several requests.',
  },
  'uri-too-long': {
    status: 414,
    title: 'The request target is longer than allowed',
    cause: 'The address, or a part of it, has more characters than the service takes.',
    remedy: 'Shorten it. Long values belong into the body.',
  },
  'unsupported-media-type': {
    status: 415,
    title: 'Only application/json is accepted',
    cause: 'The body is of another type than JSON, or is compressed.',
    remedy: 'Send JSON in UTF-8 with `Content-Type: application/json`, and without `Content-Encoding`.',
  },
  'misdirected-request': {
    status: 421,
    title: 'This service does not serve that host',
    cause: 'The host name of the request is not the one that the service answers for.',
    remedy: 'Use the public address of the service.',
  },
  'validation-failed': {
    status: 422,
    title: 'Some values are not acceptable',
    cause: 'The request can be read, but at least one value breaks a rule of its field.',
    remedy:
      '`errors` names each field by a JSON pointer, with a stable code and a message. Mend those, and send it again.',
  },
  'precondition-required': {
    status: 428,
    title: 'The request must carry If-Match',
    cause: 'Changes name the version that they are based on, so that nobody overwrites what they have not seen.',
    remedy: 'Read the object, and send its ETag as `If-Match`.',
  },
  'too-many-requests': {
    status: 429,
    title: 'Too many requests',
    cause: 'More requests came from this caller or network than the limit of the route allows.',
    remedy: 'Wait as many seconds as `Retry-After` says. The `RateLimit` header tells how much is left.',
  },
  'header-fields-too-large': {
    status: 431,
    title: 'The header fields are larger than allowed',
    cause: 'The header fields together, or their number, exceed what the service takes.',
    remedy: 'Send fewer or shorter fields; old cookies are the usual reason.',
  },
  'internal-error': {
    status: 500,
    title: 'Something went wrong on our side',
    cause: 'The service met a fault of its own. It is logged in full under the `requestId` of the answer.',
    remedy: 'Try again later. If it stays, tell the operator the `requestId`.',
  },
  'unavailable': {
    status: 503,
    title: 'The service cannot answer at the moment',
    cause: 'Something that the service depends on does not answer, or not in time.',
    remedy: 'Repeat the request after as many seconds as `Retry-After` says.',
  },
} as const satisfies Record<string, ProblemDescription>;

export type GeneralProblem = keyof typeof general;

export const generalProblems = Object.keys(general) as readonly GeneralProblem[];

for (const slug of generalProblems) defineProblemType(slug, general[slug]);

/** @throws TypeError for a slug that nobody declared. */
export function problemType(slug: string): ProblemType {
  const found = declared.find(slug);
  if (found === undefined) throw new TypeError(`nobody declares the problem type ${slug}`);
  return found;
}

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
 * The only exception that application code throws at a caller. `detail` is written for the caller: nothing internal in
 * it.
 * security/errors/problem.filter.ts turns it into `application/problem+json`.
 */
export class Problem extends HttpException {
  readonly kind: ProblemType;

  constructor(
    type: GeneralProblem | ProblemType,
    readonly detail?: string,
    readonly extras: ProblemExtras = {},
  ) {
    const kind = typeof type === 'string' ? problemType(type) : type;
    super(kind.title, kind.status, { cause: extras.cause });
    this.kind = kind;
  }

  /** The slug. */
  get type(): string {
    return this.kind.name;
  }
}

/** A 401 with the challenge that RFC 9110 s15.5.2 demands. */
export const unauthenticated = (detail?: string): Problem =>
  new Problem('unauthenticated', detail, { headers: { 'WWW-Authenticate': 'Bearer' } });
