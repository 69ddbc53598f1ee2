import { randomInt } from 'node:crypto';
import { crc32 } from 'node:zlib';

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** Of 62 letters: 256 bits (ASVS v5.0.0-11.5.1 asks for 128). */
const secretLength = 43;
/** 62 to the sixth is more than 2 to the 32nd. */
const crcLength = 6;

/**
 * The two words, the UUIDv7 without hyphens, the secret and the checksum: of this service or of another one. Runs over
 * what strangers send, and is linear.
 */
const form =
  /([a-z][a-z0-9]{1,15}_[a-z][a-z0-9]{1,15}_)([0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15})_([0-9A-Za-z]{49})/g;

/** What a key says about itself. Nothing of it is proved yet. */
export interface ReadKey {
  /** UUIDv7. */
  readonly id: string;
  readonly secret: string;
}

/**
 * `<app>_<env>_<id>_<secret><crc>`. The checksum proves nothing: it tells a key from a text that merely looks like one,
 * so that typing errors cost no query and scanners raise no false alarms.
 */
export class KeyFormat {
  /** `app_live_` */
  readonly prefix: string;

  constructor(app: string, environment: string) {
    this.prefix = `${app}_${environment}_`;
  }

  /** What keys look like, for whoever looks for them in other text: `find` says which of them are. */
  readonly pattern = form;

  create(id: string): { readonly key: string; readonly secret: string } {
    const secret = Array.from({ length: secretLength }, () => alphabet[randomInt(alphabet.length)]).join('');
    return { key: this.write({ id, secret }), secret };
  }

  write({ id, secret }: ReadKey): string {
    const text = `${this.prefix}${id.replaceAll('-', '')}_${secret}`;
    return text + checksumOf(text);
  }

  /** Undefined for every text that was not made by `write`, or was changed by a letter. */
  read(text: string): ReadKey | undefined {
    const [match] = text.matchAll(form);
    if (match === undefined || match[0] !== text || match[1] !== this.prefix) return undefined;
    if (checksumOf(text.slice(0, -crcLength)) !== text.slice(-crcLength)) return undefined;
    const [, , hex = '', rest = ''] = match;
    return {
      id: hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'),
      secret: rest.slice(0, secretLength),
    };
  }

  /** Those in a text; letters may stand before a key, as of an escape. */
  find(text: string): ReadKey[] {
    const found = (text.match(form) ?? []).flatMap((one) => this.read(one.slice(one.indexOf(this.prefix))) ?? []);
    return [...new Map(found.map((key) => [key.id + key.secret, key])).values()];
  }
}

/** CRC-32 in six letters. */
function checksumOf(text: string): string {
  let rest = crc32(text);
  let letters = '';
  for (let place = 0; place < crcLength; place++) {
    letters = (alphabet[rest % alphabet.length] ?? '') + letters;
    rest = Math.floor(rest / alphabet.length);
  }
  return letters;
}
