import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { withLowS } from '../../src/auth/authentication/low-s.js';
import { SigningKeys } from '../../src/auth/signing-keys/signing-keys.js';
import { CONFIG, type Config } from '../../src/config/index.js';
import type { TestApp } from '../support/app.js';

export type Members = Record<string, unknown>;

export const encode = (part: string | object): string =>
  Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');

export function decode(token: string): { header: Members; payload: Members } {
  const [header = '', payload = ''] = token.split('.').map((part) => Buffer.from(part, 'base64url').toString());
  return { header: JSON.parse(header) as Members, payload: JSON.parse(payload) as Members };
}

/** A compact ES256 JWS over the parts as they are given. */
export function es256(key: KeyObject, header: string | object, payload: string | object): string {
  const input = `${encode(header)}.${encode(payload)}`;
  return withLowS(
    `${input}.${sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`,
  );
}

/** The service's own key: with it, a test shows that a check stands by itself and not behind the signature. */
export const genuineKey = (app: TestApp): KeyObject =>
  app.on(0).service.app.get(SigningKeys, { strict: false }).active.privateKey;

/** Issuer and audience of the tokens, and the beginning of every mailed address. */
export const publicUrl = (app: TestApp): string =>
  app.on(0).service.app.get<Config>(CONFIG, { strict: false }).publicUrl;

export const attackersKey = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });

/** Flips the lowest bit of the byte in the middle of a base64url part. */
export function flipBit(part: string): string {
  const bytes = Buffer.from(part, 'base64url');
  bytes[bytes.length >> 1]! ^= 1;
  return bytes.toString('base64url');
}
