import { sign } from 'node:crypto';
import { ExternalSigningKey } from 'oidc-provider';
import { withLowS } from '../authentication/low-s.js';
import type { SigningKeys } from '../signing-keys/signing-keys.js';

/** The signing keys of the service, which rotate, in the place of one that the provider would hold. */
export class CurrentKey extends ExternalSigningKey {
  constructor(private readonly keys: SigningKeys) {
    super();
  }

  // What the provider registers it by, before there is a key. It publishes none of this: /.well-known/jwks.json has the
  // keys.
  override get kty(): string {
    return 'EC';
  }

  override get crv(): string {
    return 'P-256';
  }

  override get x(): string {
    return 'x';
  }

  override get y(): string {
    return 'y';
  }

  override get e(): undefined {
    return undefined;
  }

  override get n(): undefined {
    return undefined;
  }

  override get pub(): undefined {
    return undefined;
  }

  override keyObject() {
    return this.keys.active.publicKey;
  }

  /** By the key that the header names, which may have been followed by another one since. */
  override sign(data: Uint8Array): Uint8Array {
    const text = Buffer.from(data).toString();
    const header = Buffer.from(text.slice(0, text.indexOf('.')), 'base64url').toString();
    const { kid } = JSON.parse(header) as { kid: string };
    const key = this.keys.find(kid);
    if (key === undefined) throw new Error('the signing key has gone');
    const signature = sign('sha256', data, { key: key.privateKey, dsaEncoding: 'ieee-p1363' });
    const token = withLowS(`${text}.${signature.toString('base64url')}`);
    return Buffer.from(token.slice(token.lastIndexOf('.') + 1), 'base64url');
  }
}
