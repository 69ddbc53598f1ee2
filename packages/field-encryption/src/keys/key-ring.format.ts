import { createSecretKey, randomBytes, type KeyObject } from 'node:crypto';

const states = ['next', 'active', 'retired'] as const;
export type KeyState = (typeof states)[number];

export interface RingKey {
  readonly id: string;
  readonly purpose: string;
  /**
   * `next` is known everywhere before anything is made with it: what one instance makes with a new key, all can read.
   */
  readonly state: KeyState;
  readonly key: KeyObject;
  readonly createdAt: Date | undefined;
  /** When its successor became active. */
  readonly retiredAt: Date | undefined;
}

/** A key as the file has it. */
export interface KeyEntry {
  readonly id: string;
  readonly purpose: string;
  readonly secret: string;
  readonly state: KeyState;
  readonly createdAt: string;
  readonly retiredAt?: string;
}

/** Why a key ring is refused: one line that names the fault and the fix, never a secret. */
export class KeyRingError extends Error {
  override readonly name = 'KeyRingError';
}

const secretBytes = 32;

function throwFault(fault: string): never {
  throw new KeyRingError(fault);
}

/** A fresh 256-bit key. */
export const newKeyEntry = (purpose: string, state: KeyState): KeyEntry => ({
  id: `${purpose}-${randomBytes(4).toString('hex')}`,
  purpose,
  secret: randomBytes(secretBytes).toString('base64url'),
  state,
  createdAt: new Date().toISOString(),
});

export const keyRingText = (keys: readonly KeyEntry[]): string => `${JSON.stringify({ version: 1, keys }, null, 2)}\n`;

/** The text of a new key ring: one key per purpose. */
export const newKeyRingText = (purposes: readonly string[]): string =>
  keyRingText(purposes.map((purpose) => newKeyEntry(purpose, 'active')));

/**
 * Reads the text of a key ring file.
 * @param purposes each must have one active key; a key of another is refused.
 * @throws KeyRingError on the first fault.
 */
export function parseKeyRing(text: string, purposes: readonly string[]): RingKey[] {
  const keys = entriesOf(text).map((entry, index) => toRingKey(entry, index, purposes));
  refuseDuplicates(keys);
  for (const purpose of purposes) {
    const active = keys.filter((key) => key.purpose === purpose && key.state === 'active').length;
    if (active === 0)
      throwFault(`no active key of the purpose ${purpose}: restore the file from its backup or add a key`);
    if (active > 1)
      throwFault(`${active} active keys of the purpose ${purpose}: set the state of all but one to "retired"`);
  }
  return keys;
}

function entriesOf(text: string): unknown[] {
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch {
    // The parser's own message quotes the text around the fault, and that text holds secrets.
    return throwFault('it is no JSON: restore it from its backup');
  }
  const { version, keys } = (typeof file === 'object' && file !== null ? file : {}) as Record<string, unknown>;
  if (version !== 1)
    throwFault('its version is not 1: use the release that wrote it, or restore the file from its backup');
  return Array.isArray(keys) ? (keys as unknown[]) : throwFault('it has no list "keys": restore it from its backup');
}

function toRingKey(entry: unknown, index: number, purposes: readonly string[]): RingKey {
  const { id, purpose, secret, state, createdAt, retiredAt } = (
    typeof entry === 'object' && entry !== null ? entry : {}
  ) as Partial<KeyEntry>;
  if (typeof id !== 'string' || !/^[a-z0-9-]{1,64}$/.test(id))
    throwFault(`key number ${index + 1} has no id of a-z, 0-9 and "-": give it one`);
  const known = purposes.find((word) => word === purpose);
  if (known === undefined) throwFault(`${id} has an unknown purpose: use one of ${purposes.join(', ')}`);
  if (state === undefined || !states.includes(state))
    throwFault(`${id} has no state: set "next", "active" or "retired"`);
  const key = createSecretKey(secretOf(id, secret));
  return { id, purpose: known, state, key, createdAt: timeOf(createdAt), retiredAt: timeOf(retiredAt) };
}

/** For people and for the commands that rotate; nothing is opened by it. */
const timeOf = (text: unknown): Date | undefined =>
  typeof text === 'string' && !Number.isNaN(Date.parse(text)) ? new Date(text) : undefined;

function secretOf(id: string, secret: unknown): Buffer {
  const bytes = Buffer.from(typeof secret === 'string' ? secret : '', 'base64url');
  if (bytes.toString('base64url') !== secret || bytes.length !== secretBytes) {
    throwFault(
      `the secret of ${id} is not 32 bytes in base64url: ` +
        `make one with "openssl rand -base64 32 | tr '+/' '-_' | tr -d ="`,
    );
  }
  if (looksMadeUp(bytes) || looksTyped(secret))
    throwFault(`the secret of ${id} is an example or was typed by hand: make a random one`);
  return bytes;
}

/**
 * Zeros, counters, repeated words and typed text. 32 random bytes have fewer than 16 distinct values, or only printable
 * ones, with a probability below 2^-45 (ASVS v5.0.0-13.3.1, 11.5.1).
 */
function looksMadeUp(bytes: Buffer): boolean {
  const step = (bytes[1] ?? 0) - (bytes[0] ?? 0);
  const counts = bytes.every((byte, at) => at === 0 || (byte - (bytes[at - 1] ?? 0) - step) % 256 === 0);
  return counts || new Set(bytes).size < 16 || bytes.every((byte) => byte >= 0x20 && byte < 0x7f);
}

/**
 * Words of examples, and text that repeats itself. Random text has such a word with a probability below 2^-24, and each
 * other less.
 */
function looksTyped(text: string): boolean {
  const word = /example|changeme|change-me|password|secret/i.test(text);
  // A text that is made by repeating a shorter one equals itself, moved by the length of that. Not every last letter
  // can stand there.
  const body = text.slice(0, -1);
  const repeats = Array.from({ length: 21 }, (_, at) => at + 1).some(
    (period) => body.slice(period) === body.slice(0, -period),
  );
  return word || repeats || new Set(text).size < 12;
}

/** One secret under two purposes would undo their separation (SP 800-57 part 1 s5.2). */
function refuseDuplicates(keys: readonly RingKey[]): void {
  keys.forEach((key, index) => {
    for (const other of keys.slice(0, index)) {
      if (key.id === other.id) throwFault(`the id ${key.id} is there twice: give each key its own`);
      if (key.key.equals(other.key))
        throwFault(`${other.id} and ${key.id} have the same secret: make a new one for one of them`);
    }
  });
}
