import { timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Macs } from '../common/macs.js';

const purpose = 'one-time-token';
const label = 'invitation-opt-out';

/**
 * Tokens that end the mail to a mailbox: the id of its row and a MAC over it. Not stored and not random: the token of
 * an older mail works as well as that of the newest, and using one twice changes nothing.
 */
@Injectable()
export class OptOutTokens {
  constructor(private readonly macs: Macs) {}

  create(id: string): string {
    return id.replaceAll('-', '') + hexOf(this.macs.keyed(purpose, `${label} ${id}`));
  }

  /** The id of the row; undefined for a token that was not made here. */
  idIn(token: string): string | undefined {
    const [, ...parts] =
      /^([0-9a-f]{8})([0-9a-f]{4})(7[0-9a-f]{3})([89ab][0-9a-f]{3})([0-9a-f]{12})([0-9a-f]{64})$/.exec(token) ?? [];
    const mac = Buffer.from(parts.pop() ?? '');
    const id = parts.join('-');
    const isOurs = this.macs.keyedWithAllKeys(purpose, `${label} ${id}`).some((expected) => {
      const hex = Buffer.from(hexOf(expected));
      return hex.length === mac.length && timingSafeEqual(hex, mac);
    });
    return isOurs ? id : undefined;
  }
}

/** Of `<key id>.<base64url>`: hexadecimal survives every mail client and a double click. */
const hexOf = (keyed: string): string =>
  Buffer.from(keyed.slice(keyed.lastIndexOf('.') + 1), 'base64url').toString('hex');
