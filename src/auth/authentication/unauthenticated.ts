import { Problem } from '../../common/problem.js';

/** Why a credential was refused: for the audit trail and detection. The caller is not told (practice 6.4). */
export type RefusalReason =
  | 'missing'
  | 'several'
  | 'scheme'
  | 'header'
  | 'malformed'
  | 'signature'
  | 'issuer'
  | 'audience'
  | 'expired'
  | 'not-yet-valid'
  | 'claims'
  | 'session-ended';

/** A credential that does not count. The guard turns it into an answer and a security event. */
export class CredentialRefused extends Error {
  constructor(readonly reason: RefusalReason) {
    super(`the credential was refused: ${reason}`);
  }

  /** 400 for a request that carries more credentials than one (RFC 6750 s3.1), one and the same 401 for all else. */
  toProblem(): Problem {
    if (this.reason !== 'several') return unauthenticated();
    return new Problem('malformed-request', 'Send one access token, in one Authorization header, and nowhere else.');
  }
}

/** A 401 with the challenge that RFC 9110 s15.5.2 demands. */
export const unauthenticated = (detail?: string): Problem =>
  new Problem('unauthenticated', detail, { headers: { 'WWW-Authenticate': 'Bearer' } });
