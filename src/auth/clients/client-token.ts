import { verify } from 'node:crypto';
import { CredentialRefused } from '../../common/access/credential-refused.js';
import { idPattern } from '../../common/http/fields.js';
import { isLowS } from '../authentication/low-s.js';
import type { SigningKey } from '../signing-keys/signing-key.js';

/** What a verified token says. What it is worth now, the client's row says. */
export interface ClientClaims {
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly jti: string;
  readonly audience: string;
  /** Seconds since 1970. */
  readonly issuedAt: number;
  readonly expiresAt: number;
  /** Of the client, when it was issued. */
  readonly version: number;
  readonly keyId: string;
  /** SHA-256 thumbprint of the key that the client has to prove at each request (RFC 9449 s6). */
  readonly jkt?: string | undefined;
  /** SHA-256 of the certificate that the client has to show at each request (RFC 8705 s3), in base64url. */
  readonly x5t?: string | undefined;
}

export interface Expected {
  readonly issuer: string;
  readonly audience: string;
}

/**
 * How the second part of such a token begins. No token of a person begins so, and none that does is ever taken for one:
 * which of the two it is shows without a look-up, and each is then held to all of its own rules.
 */
export function beginningOf({ issuer }: Expected): string {
  const bytes = Buffer.from(JSON.stringify({ iss: issuer }).slice(0, -1));
  return bytes.subarray(0, bytes.length - (bytes.length % 3)).toString('base64url');
}

/**
 * @param key the one that the header names.
 * @throws CredentialRefused for a signature, issuer, audience or claim that is not as this service writes it.
 */
export function clientTokenOf(token: string, key: SigningKey, expected: Expected): ClientClaims {
  const [header = '', body = '', signature = ''] = token.split('.');
  const bytes = Buffer.from(signature, 'base64url');
  const by = { key: key.publicKey, dsaEncoding: 'ieee-p1363' } as const;
  // (r, n - s) is as genuine as (r, s): one token has one spelling.
  if (!isLowS(bytes) || !verify('sha256', Buffer.from(`${header}.${body}`), by, bytes))
    throw new CredentialRefused('signature');
  const text = Buffer.from(body, 'base64url').toString();
  const claims = JSON.parse(text) as Readonly<Record<string, unknown>>;
  if (claims['iss'] !== expected.issuer) throw new CredentialRefused('issuer');
  if (claims['aud'] !== expected.audience) throw new CredentialRefused('audience');
  // A repeated member means one thing to us and another to the next reader; written again, the text would be shorter.
  if (JSON.stringify(claims) !== text) throw new CredentialRefused('claims');
  return { ...read(claims), audience: expected.audience, keyId: key.id };
}

function read({ sub, client_id: clientId, scope, jti, cnf, ...numbers }: Readonly<Record<string, unknown>>) {
  const { iat: issuedAt, exp: expiresAt, version } = numbers;
  const areTexts = typeof scope === 'string' && typeof jti === 'string';
  if (!isId(clientId) || sub !== clientId || !areTexts) throw new CredentialRefused('claims');
  if (!isWhole(issuedAt) || !isWhole(expiresAt) || !isWhole(version)) throw new CredentialRefused('claims');
  return { clientId, scopes: scope.split(' '), jti, issuedAt, expiresAt, version, ...bindingOf(cnf) };
}

/** A binding that is not understood must not be passed over. */
function bindingOf(cnf: unknown): Pick<ClientClaims, 'jkt' | 'x5t'> {
  if (cnf === undefined) return {};
  const { jkt, 'x5t#S256': x5t, ...others } = cnf as Readonly<Record<string, unknown>>;
  const isNone = jkt === undefined && x5t === undefined;
  if (!isOptionalText(jkt) || !isOptionalText(x5t) || isNone || Object.keys(others).length > 0)
    throw new CredentialRefused('claims');
  return { jkt, x5t };
}

const isOptionalText = (value: unknown): value is string | undefined =>
  value === undefined || typeof value === 'string';
const isId = (value: unknown): value is string => typeof value === 'string' && idPattern.test(value);
const isWhole = (value: unknown): value is number => Number.isSafeInteger(value);
