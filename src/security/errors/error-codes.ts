import type { GeneralProblem } from '../../common/http/problem.js';

// What the codes of the libraries mean to a caller. Every code that is not named here is a fault of ours: 500, and the
// request id alone.
// test/security/errors/error-codes.test.ts lists the codes of the installed versions and fails for one that nobody has
// thought about.

/**
 * Those of Fastify that a client provokes. Its own `statusCode` is not believed: it calls some faults of ours a 400.
 */
const ofFastify: Readonly<Partial<Record<GeneralProblem, readonly string[]>>> = {
  'malformed-request': [
    'FST_ERR_VALIDATION', 'FST_ERR_BAD_URL', 'FST_ERR_CTP_INVALID_CONTENT_LENGTH', 'FST_ERR_CTP_EMPTY_JSON_BODY',
    'FST_ERR_CTP_INVALID_JSON_BODY', 'FST_ERR_ROUTE_MISSING_CONTENT_TYPE', 'FST_ERR_ROUTE_MISSING_CONTENT',
  ],
  'not-found': ['FST_ERR_NOT_FOUND'],
  'content-too-large': ['FST_ERR_CTP_BODY_TOO_LARGE'],
  'uri-too-long': ['FST_ERR_MAX_PARAM_LENGTH'],
  'unsupported-media-type': ['FST_ERR_CTP_INVALID_MEDIA_TYPE'],
  'unavailable': ['FST_ERR_HANDLER_TIMEOUT'],
}; // prettier-ignore

/** Those of @fastify/multipart that a client provokes: whoever adds uploads needs no other table. */
const ofMultipart: Readonly<Partial<Record<GeneralProblem, readonly string[]>>> = {
  'malformed-request': ['FST_PROTO_VIOLATION', 'FST_INVALID_JSON_FIELD_ERROR'],
  'content-too-large': ['FST_REQ_FILE_TOO_LARGE', 'FST_PARTS_LIMIT', 'FST_FILES_LIMIT', 'FST_FIELDS_LIMIT'],
  'unsupported-media-type': ['FST_INVALID_MULTIPART_CONTENT_TYPE'],
}; // prettier-ignore

/** Prisma's codes, PostgreSQL's SQLSTATEs and those of Node's sockets. */
const ofDatabase: Readonly<Partial<Record<GeneralProblem, readonly string[]>>> = {
  // A unique, foreign or exclusion key, or a relation, stands against the change.
  'conflict': ['P2002', 'P2003', 'P2014', '23505', '23503', '23001', '23P01'],
  'not-found': ['P2025'],
  // "Not there, or not now": the same request may well succeed in a moment.
  'unavailable': [
    'P1001', 'P1002', 'P1008', 'P1017', 'P1018', 'P2024', 'P2028', 'P2034', 'P2037',
    // It does not let us in: a credential, a name or a certificate that was changed under us.
    'P1000', 'P1003', 'P1010', 'P1011', '28000', '28P01', '3D000',
    'ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT', 'EPIPE', 'EPROTO',
    'EHOSTUNREACH', 'EHOSTDOWN', 'ENETUNREACH', 'ENETDOWN', 'EADDRNOTAVAIL', 'KEY_SERVICE_UNAVAILABLE',
    // The bounds that src/database/session.ts sets (lock, statement, idle transaction), then a server that was made
    // read-only.
    '55P03', '57014', '25P03', '25P04', '25006',
    // A statement that its connection prepared before a migration, or lost: src/database/prepared.ts.
    '0A000', '26000',
  ],
}; // prettier-ignore

const byCode = (
  table: Readonly<Partial<Record<GeneralProblem, readonly string[]>>>,
): ReadonlyMap<string, GeneralProblem> =>
  new Map(Object.entries(table).flatMap(([type, codes]) => codes.map((code) => [code, type as GeneralProblem])));

export const fastifyCodes: ReadonlyMap<string, GeneralProblem> = new Map([
  ...byCode(ofFastify),
  ...byCode(ofMultipart),
]);
const databaseCodes = byCode(ofDatabase);

/**
 * Whole classes of SQLSTATE (PostgreSQL appendix A): connection, transaction rolled back for another one, resources,
 * intervention of the operator, the system below; then the codes that OpenSSL and Node give a TLS that fails.
 */
const outages =
  /^(08|40|53|57P|58)[0-9A-Z]{2,3}$|^(ERR_SSL|ERR_TLS|UNABLE_TO|CERT|CRL|DEPTH_ZERO|SELF_SIGNED|HOSTNAME)_/;

/** What the adapter makes of faults below SQL, which have no SQLSTATE. */
const outageKinds: ReadonlySet<unknown> = new Set([
  'DatabaseNotReachable', 'ConnectionClosed', 'SocketTimeout', 'TlsConnectionError', 'TooManyConnections',
  'TransactionWriteConflict',
]); // prettier-ignore

export const databaseType = (code: string): GeneralProblem | undefined =>
  databaseCodes.get(code) ?? (outages.test(code) ? 'unavailable' : undefined);
export const isOutageKind = (kind: unknown): boolean => outageKinds.has(kind);
