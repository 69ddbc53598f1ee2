import { Injectable } from '@nestjs/common';
import { Macs } from '../../common/macs.js';

const purpose = 'refresh-token';
const idBytes = 16;
const counterBytes = 4;
const macBytes = 32;

/** What a refresh token says once its MAC has been checked. */
export interface RefreshClaims {
  readonly sessionId: string;
  /** How often the session had been refreshed when the token was made. */
  readonly counter: number;
}

/**
 * `<key id>.<base64url of session id, counter, HMAC-SHA-256>`. Nothing of it is stored: the session's row knows the counter
 * that is due, so a copy of the database holds no token, and the successor of a token can be computed again.
 */
@Injectable()
export class RefreshTokens {
  constructor(private readonly macs: Macs) {}

  write({ sessionId, counter }: RefreshClaims): string {
    const body = Buffer.alloc(idBytes + counterBytes);
    body.write(sessionId.replaceAll('-', ''), 'hex');
    body.writeUInt32BE(counter, idBytes);
    const { keyId, mac } = this.macs.sign(purpose, [body]);
    return `${keyId}.${Buffer.concat([body, mac]).toString('base64url')}`;
  }

  /** Undefined for everything that we did not write. */
  read(token: string): RefreshClaims | undefined {
    const dot = token.lastIndexOf('.');
    const text = token.slice(dot + 1);
    const bytes = Buffer.from(text, 'base64url');
    // Decoding is lenient; one token must have one spelling.
    if (dot < 1 || bytes.length !== idBytes + counterBytes + macBytes || bytes.toString('base64url') !== text) return undefined;
    const body = bytes.subarray(0, idBytes + counterBytes);
    if (!this.macs.verify(purpose, token.slice(0, dot), [body], bytes.subarray(body.length))) return undefined;
    const hex = body.toString('hex', 0, idBytes);
    const sessionId = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
    return { sessionId, counter: body.readUInt32BE(idBytes) };
  }
}
