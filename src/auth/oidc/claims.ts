import type { IDToken } from 'openid-client';
import { isPlainAddress } from '../../common/mail-address.js';
import { hasTooManyMarks, normalise, normaliseEmail } from '../../common/normalisation.js';

/** What an ID token says of a person, in forms that can be stored. */
export interface Claims {
  readonly issuer: string;
  readonly subject: string;
  readonly email: string | undefined;
  /** The provider has verified the address: the claim is exactly `true`. */
  readonly isVerified: boolean;
  readonly name: string | undefined;
  readonly amr: readonly string[];
  readonly acr: string | undefined;
  readonly authenticatedAt: Date | undefined;
}

/** At most 255 ASCII characters (OpenID Connect Core 1.0 s2). */
const subjectForm = /^[\x20-\x7e]{1,255}$/;
const maxEmail = 254;
const maxName = 100;
const word = /^[\x21-\x7e]{1,100}$/;
const unseen = /[\p{C}\p{Zl}\p{Zp}]/u;

/**
 * What has another form than the standard says counts as not said; without a subject there is nobody (abuse case
 * A10-2).
 * @throws TypeError
 */
export function readClaims(token: Readonly<Record<string, unknown>> & Pick<IDToken, 'iss'>): Claims {
  const { iss, sub, email_verified: verified, amr, acr, auth_time: authTime } = token;
  if (typeof sub !== 'string' || !subjectForm.test(sub)) throw new TypeError('the subject has not the form of one');
  const email = emailOf(token['email']);
  return {
    issuer: iss,
    subject: sub,
    email,
    isVerified: verified === true && email !== undefined,
    name: nameOf(token['name']),
    amr: Array.isArray(amr) ? amr.filter(isWord) : [],
    acr: isWord(acr) ? acr : undefined,
    authenticatedAt: typeof authTime === 'number' && Number.isFinite(authTime) ? new Date(authTime * 1000) : undefined,
  };
}

const isWord = (value: unknown): value is string => typeof value === 'string' && word.test(value);

function emailOf(value: unknown): string | undefined {
  if (typeof value !== 'string' || value.length > maxEmail || !isPlainAddress(value)) return undefined;
  const email = normaliseEmail(value);
  return email.length <= maxEmail && isPlainAddress(email) ? email : undefined;
}

/** As a name that somebody types here (common/http/fields.ts): one line that can be seen. */
function nameOf(value: unknown): string | undefined {
  if (typeof value !== 'string' || value.length > 2 * maxName || hasTooManyMarks(value)) return undefined;
  const name = normalise(value).trim();
  const isFit = name !== '' && [...name].length <= maxName && !unseen.test(name) && !name.startsWith('enc:');
  return isFit && name.isWellFormed() ? name : undefined;
}
