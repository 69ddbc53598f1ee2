import { isIP } from 'node:net';
import { isInternal } from '../common/http/network.js';
import { isPlainAddress } from '../common/mail-address.js';

/** One environment variable: how it is read, what it means, and how a wrong value is mended. */
export interface Variable<T> {
  readonly group: string;
  readonly description: string;
  /** Shown in .env.example; never a value that could be used as a secret. */
  readonly example: string;
  /** What counts when the variable is not set; absent: the variable stays undefined. */
  readonly fallback?: T;
  /** In production there is no fallback: the owner has to decide. */
  readonly requiredInProduction?: boolean;
  /** The file holds a secret: in production nobody but its owner and group may read it. */
  readonly isSecretFile?: boolean;
  /** Turns the text into the value, or throws an Error whose message tells the fix. It must not repeat the text. */
  readonly parse: (text: string) => T;
}

const fail = (fix: string): never => {
  throw new Error(fix);
};

/** A whole number in [least, most]. */
export const whole =
  (least: number, most: number) =>
  (text: string): number => {
    const value = /^\d{1,12}$/.test(text) ? Number(text) : Number.NaN;
    return value >= least && value <= most ? value : fail(`set a whole number from ${least} to ${most}`);
  };

/** One of the words. */
export const oneOf =
  <const W extends string>(...words: readonly W[]) =>
  (text: string): W =>
    words.find((word) => word === text) ?? fail(`set one of: ${words.join(', ')}`);

/** `true` or `false`; anything else is refused, so that a typing error never turns a protection off. */
export const flag = (text: string): boolean => oneOf('true', 'false')(text) === 'true';

export const path = (text: string): string => (text.includes('\0') ? fail('set a file path') : text);

/** A host name or address without scheme and port. */
export const host = (text: string): string => {
  // A name with a colon, or of digits and dots only, is an address with a typing error.
  const isName = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,252}$/.test(text) && !/^[\d.]+$/.test(text);
  return isName || isIP(text) !== 0 ? text : fail('set a host name or an IP address, without scheme and port');
};

/** The pages there hold one-time tokens: nothing that another network reaches (ASVS v5.0.0-13.4.5). */
export const internalHost = (text: string): string =>
  isInternal(text) ? text : fail('set a loopback or private address of this machine, never 0.0.0.0 or ::');

/** An IP address or a CIDR range that leaves somebody out. */
export const addressOrRange = (text: string): string => {
  const [, address = '', prefix] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const bits = isIP(address) === 4 ? 32 : 128;
  const isRange = prefix === undefined || (Number(prefix) >= 1 && Number(prefix) <= bits);
  // Whoever believes everybody lets each client choose its address, and with it its limits (abuse case A4-6).
  return isIP(address) !== 0 && isRange
    ? text
    : fail('set IP addresses or CIDR ranges, separated by commas, and not the whole internet');
};

/** A domain name in small letters, without scheme and port. */
export const domain = (text: string): string =>
  /^(?=.{1,253}$)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*$/.test(text)
    ? text
    : fail('set a domain name in small letters, such as example.org');

/** An absolute URL of one of the schemes, which `read` accepts. */
export const url =
  (read: (text: string) => unknown, ...schemes: readonly string[]) =>
  (text: string): string => {
    const parsed = URL.canParse(text) ? new URL(text) : undefined;
    const known = parsed !== undefined && schemes.includes(parsed.protocol.slice(0, -1));
    return known && read(text) !== undefined
      ? text
      : fail(`set a URL that begins with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}`);
  };

/** An https origin without path: what a browser sends in `Origin`, and what links begin with. */
export const httpsOrigin = (text: string): string => {
  const parsed = URL.canParse(text) ? new URL(text) : undefined;
  // URL accepts `*` in a host name; a browser never sends one, and whoever writes it expects a pattern.
  return parsed?.protocol === 'https:' && parsed.origin === text && !text.includes('*')
    ? text
    : fail('set an origin such as https://api.example.org: https, no path, no slash at the end');
};

/** One plain e-mail address. */
export const mailAddress = (text: string): string =>
  isPlainAddress(text) ? text : fail('set one plain e-mail address, without a name and angle brackets');

/** A comma-separated list; empty text is the empty list. */
export const listOf =
  <T>(item: (text: string) => T) =>
  (text: string): readonly T[] =>
    text
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '')
      .map(item);
