// The second guard. The first is that nobody logs personal data or secrets: request lines have fixed fields, events
// carry ids. This one catches the object that somebody logs in a hurry (ASVS v5.0.0-16.2.5, practice 7.4).

import { fieldMap } from '../../generated/field-encryption/index.js';

/** Every field that the schema annotates: a field that is encrypted tomorrow cannot reach a log the day after. */
const encryptedFields = Object.values(fieldMap).flatMap(({ encrypted }) => Object.keys(encrypted));

const secretKeys = new Set([
  ...encryptedFields.map((name) => name.toLowerCase()),
  ...'name firstname lastname fullname displayname username phonenumber note address ip ipaddress'.split(' '),
  ...'body query headers'.split(' '),
]);

/**
 * By its end, because names grow in front: oldPassword, deviceToken, recoveryCodes, qrCode. Each stands for its plural
 * too.
 */
const secretEndings = (
  'authorization cookie password passwordhash passphrase passcode pin otp secret token code credential apikey key ' +
  'seed email mail phone signature assertion jwt verifier nonce challenge cell'
).split(' ');
/** Ends like a secret and is none. */
const harmlessKeys: ReadonlySet<string> = new Set(['statuscode', 'exitcode', 'errorcode', 'responsecode']);

function isSecretKey(key: string): boolean {
  // `http.response.status_code` is status_code; the words before the dot say whose address or name a field of ECS
  // holds.
  const name = key
    .slice(key.lastIndexOf('.') + 1)
    .replace(/[-_\s]/g, '')
    .toLowerCase();
  if (harmlessKeys.has(name)) return false;
  return (
    (!key.includes('.') && secretKeys.has(name)) ||
    secretEndings.some((ending) => name.endsWith(ending) || name.endsWith(`${ending}s`))
  );
}

// Every repetition is bounded and begins where a word begins: a pattern that looks for its end from each character anew
// would let one long request stop the event loop (ReDoS, ASVS v5.0.0-1.3.12).
const secretTexts: readonly (readonly [RegExp, string])[] = [
  [/(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}\.[\w.-]{1,190}/g, '[e-mail]'],
  [/\beyJ[\w-]{1,4000}\.[\w-]{1,4000}\.[\w-]{0,4000}/g, '[token]'],
  [/\b(Bearer|Basic)\s{1,8}[\w.~+/=-]{1,4000}/gi, '$1 [credential]'],
  // Refresh tokens, tokens of mails, keys: nothing that is written for people has so long a word.
  [/(?<![\w-])[\w-]{40,}/g, '[token]'],
  [/\benc:v1:\S{1,4000}/g, '[sealed cell]'],
  [/\b(\w{1,20}:\/\/[^\s:/@]{0,100}):[^\s@/]{1,200}@/g, '$1:[password]@'],
];

/** Cuts what looks like a secret or personal data out of free text, such as the message of a library's error. */
export function redactText(text: string): string {
  return secretTexts.reduce((result, [pattern, replacement]) => result.replace(pattern, replacement), text);
}

/** A copy without the values of keys that name secrets or personal data; six levels deep, no further. */
export function redactValue(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redactText(value);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  // Its own fields quote rows and calls: error-fields.ts knows which of them may be logged.
  if (value instanceof Error) return `[${value.constructor.name}]`;
  if (ArrayBuffer.isView(value)) return '[bytes]';
  if (depth >= 6) return '[deep]';
  if (Array.isArray(value)) return value.slice(0, 100).map((item) => redactValue(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, isSecretKey(key) ? '[redacted]' : redactValue(item, depth + 1)]),
  );
}
