import { Problem, unauthenticated } from '../http/problem.js';

/** Why a credential was refused: for the audit trail and detection. The caller is not told (practice 6.4). */
export type RefusalReason =
  | 'missing'
  | 'several'
  | 'scheme'
  | 'header'
  | 'malformed'
  | 'misplaced'
  | 'signature'
  | 'issuer'
  | 'audience'
  | 'expired'
  | 'not-yet-valid'
  | 'claims'
  | 'network'
  | 'purpose'
  | 'unknown'
  | 'forwarded'
  | 'proof'
  | 'not-checkable'
  | 'revoked'
  | 'session-ended';

/** A credential that does not count. The guard turns it into an answer and a security event. */
export class CredentialRefused extends Error {
  constructor(readonly reason: RefusalReason) {
    super(`the credential was refused: ${reason}`);
  }

  /**
   * 400 for a request that carries more credentials than one (RFC 6750 s3.1), or one where none belongs; one and the
   * same 401 for all else.
   */
  toProblem(): Problem {
    const detail = explained[this.reason];
    return detail === undefined ? unauthenticated() : new Problem('malformed-request', detail);
  }
}

const explained: Readonly<Partial<Record<RefusalReason, string>>> = {
  several: 'Send one credential, in one Authorization header, and nowhere else.',
  misplaced: 'Send the credential in the Authorization header, and nowhere else.',
};
