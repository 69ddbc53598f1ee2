import type { FastifyRequest } from 'fastify';
import { Problem } from '../../common/http/problem.js';

const maxLevels = 32;
const maxMembers = 1000;
const jsonType = /^application\/json(?:\s*;\s*charset="?utf-8"?)?$/i;
// Fatal: bytes that are not UTF-8 would otherwise become U+FFFD, and two different texts the same one.
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

type Done = (error: Error | null, body?: unknown) => void;

/**
 * Fastify's parser for `application/json`. Takes one meaning only: whatever another parser on the way could read
 * differently (duplicate keys, a BOM, lone surrogates) or could poison an object with is refused (ASVS v5.0.0-1.5.3,
 * 15.3.6).
 */
export function parseJsonBody(request: FastifyRequest, bytes: Buffer, done: Done): void {
  if (!jsonType.test(request.headers['content-type'] ?? '')) return done(new Problem('unsupported-media-type'));
  // Many clients name the type on every call. Where a body is due, validation names the missing fields.
  if (bytes.length === 0) return done(null, undefined);
  try {
    done(null, parseStrictly(decode(bytes)));
  } catch (error) {
    done(error instanceof Problem ? error : malformed('The body is not valid JSON.'));
  }
}

/** Parses an object; throws a `Problem` or a SyntaxError. */
export function parseStrictly(text: string): unknown {
  const members = countMembers(text);
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw malformed('The body must be a JSON object.');
  // JSON.parse keeps the last of two equal keys in silence; then the object has fewer members than the text.
  if (inspect(value) !== members) throw malformed('The body names a key twice.');
  return value;
}

function decode(bytes: Buffer): string {
  const text = utf8.decode(bytes);
  if (text.startsWith('\ufeff')) throw malformed('The body begins with a byte order mark.');
  return text;
}

/** One pass over the text before parsing, so that 100,000 levels or keys cost nothing (abuse case A4-3). */
function countMembers(text: string): number {
  let members = 0;
  let level = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x22) at = endOfString(text, at);
    else if (code === 0x3a) members++;
    else if (code === 0x7b || code === 0x5b) level++;
    else if (code === 0x7d || code === 0x5d) level--;
    if (level > maxLevels) throw malformed(`The body is nested deeper than ${maxLevels} levels.`);
    if (members > maxMembers) throw malformed(`The body has more than ${maxMembers} keys.`);
  }
  return members;
}

function endOfString(text: string, start: number): number {
  let end = start;
  do {
    end = text.indexOf('"', end + 1);
    if (end === -1) throw malformed('The body is not valid JSON.');
  } while (isEscaped(text, end));
  return end;
}

function isEscaped(text: string, quote: number): boolean {
  let at = quote - 1;
  while (text.charCodeAt(at) === 0x5c) at--;
  return (quote - at) % 2 === 0;
}

/** Checks every value and counts the members; the depth is bounded already. */
function inspect(value: unknown): number {
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + inspect(item), 0);
  if (typeof value === 'object' && value !== null) return inspectObject(value);
  if (typeof value === 'string') checkText(value);
  // 1e400 is read as Infinity, which no range check expects.
  else if (value === Infinity || value === -Infinity) throw malformed('A number is out of range.');
  return 0;
}

function inspectObject(value: object): number {
  let members = 0;
  for (const [key, item] of Object.entries(value)) {
    checkText(key);
    // Own keys with these names replace a prototype as soon as somebody merges or assigns the object.
    if (key === '__proto__' || (key === 'constructor' && hasPrototype(item))) throw malformed('A key is not allowed.');
    members += 1 + inspect(item);
  }
  return members;
}

const hasPrototype = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, 'prototype');

/** Half a surrogate pair cannot be stored or compared: PostgreSQL refuses it, TextEncoder changes it. */
function checkText(text: string): void {
  if (!text.isWellFormed()) throw malformed('A text is not valid Unicode.');
}

const malformed = (detail: string): Problem => new Problem('malformed-request', detail);
