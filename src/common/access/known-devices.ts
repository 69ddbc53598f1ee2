import { randomUUIDv7 } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { normaliseEmail } from '../normalisation.js';
import { Macs } from '../macs.js';

const purpose = 'known-device';
const maxAgeMs = 90 * 24 * 60 * 60 * 1000;

/**
 * Devices on which somebody signed in before (OWASP, "Slow down online guessing attacks with device cookies"). The
 * token is `<device id>.<key id>.<mac>`, the MAC binds it to the address, and nothing is stored. It opens nothing: it
 * moves a sign-in out of the bucket that strangers fill with guesses. Because nothing is stored, it outlives a change
 * of the password; its age is what bounds it.
 */
@Injectable()
export class KnownDevices {
  constructor(
    @Inject(Macs) private readonly macs: Macs,
    private readonly clock: Clock,
  ) {}

  /** The token of a new device. */
  issue(email: string): string {
    const id = randomUUIDv7();
    const { keyId, mac } = this.macs.sign(purpose, [id, normaliseEmail(email)]);
    return `${id}.${keyId}.${mac.toString('base64url')}`;
  }

  /** The id of the device; undefined when the token is not one of ours for that address, or older than 90 days. */
  recognise(token: unknown, email: unknown): string | undefined {
    if (typeof token !== 'string' || typeof email !== 'string') return undefined;
    const [, id = '', keyId = '', mac = ''] = /^([0-9a-f-]{36})\.([\w-]{1,100})\.([\w-]{43})$/.exec(token) ?? [];
    if (!this.macs.verify(purpose, keyId, [id, normaliseEmail(email)], Buffer.from(mac, 'base64url'))) return undefined;
    return this.clock.now().getTime() - issuedAtMs(id) <= maxAgeMs ? id : undefined;
  }
}

/** A UUIDv7 begins with the time in milliseconds (RFC 9562 s5.7). */
const issuedAtMs = (id: string): number => Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
