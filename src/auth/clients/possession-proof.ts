import { hash } from 'node:crypto';
import { calculateJwkThumbprint, EmbeddedJWK, jwtVerify, type JWTPayload } from 'jose';
import { CredentialRefused } from '../../common/access/credential-refused.js';
import { signatureAlgorithms } from './public-keys.js';

/** So far may the clocks of the two sides be apart, in both directions. */
export const proofWindowSeconds = 60;

export interface ProvedRequest {
  readonly method: string;
  /** Without query and fragment. */
  readonly url: string;
  readonly token: string;
  /** Of the key that the token is bound to. */
  readonly jkt: string;
  readonly now: Date;
}

/**
 * RFC 9449 s4.3: the caller has the key of the token, and made this proof for this request, now. That it is used once
 * has to be seen to besides.
 * @returns its `jti`.
 * @throws CredentialRefused
 */
export async function assertProof(proof: unknown, request: ProvedRequest): Promise<string> {
  const { payload, thumbprint } = await verified(proof);
  const { jti, iat, htm, htu, ath } = payload as JWTPayload & Readonly<Record<string, unknown>>;
  const seconds = request.now.getTime() / 1000;
  const isNow = Number.isSafeInteger(iat) && Math.abs(seconds - Number(iat)) <= proofWindowSeconds;
  const isHere = htm === request.method && isSame(htu, request.url);
  const isForToken = ath === hash('sha256', request.token, 'base64url');
  if (thumbprint !== request.jkt || !isNow || !isHere || !isForToken) throw new CredentialRefused('proof');
  if (typeof jti !== 'string' || jti === '') throw new CredentialRefused('proof');
  return jti;
}

async function verified(proof: unknown) {
  // Two fields reach us joined by a comma, which no JWT has.
  if (typeof proof !== 'string' || !/^[\w-]+\.[\w-]+\.[\w-]+$/.test(proof)) throw new CredentialRefused('proof');
  try {
    const options = { algorithms: [...signatureAlgorithms], typ: 'dpop+jwt' };
    // Times are compared with the clock of the service; here a year would do no harm.
    const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, {
      ...options,
      clockTolerance: 31_536_000,
    });
    return { payload, thumbprint: await calculateJwkThumbprint(protectedHeader.jwk ?? {}) };
  } catch {
    throw new CredentialRefused('proof');
  }
}

/** Query and fragment of what the client wrote do not count (RFC 9449 s4.3). */
function isSame(htu: unknown, url: string): boolean {
  const written = typeof htu === 'string' ? URL.parse(htu) : null;
  if (written === null) return false;
  written.search = '';
  written.hash = '';
  return written.href === url;
}
