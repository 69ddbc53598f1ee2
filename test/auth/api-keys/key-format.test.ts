import { randomUUIDv7 } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { KeyFormat } from '../../../src/auth/api-keys/key-format.js';

const format = new KeyFormat('acme', 'live');
const published = /^\[a-z\].*\{49\}$/m.exec(readFileSync('docs/practices/api-keys.md', 'utf8'))?.[0] ?? '';

describe('the form of an API key [practice 2.2]', () => {
  it('reads what it has written, and every secret is another one [ASVS 11.5.1]', () => {
    const keys = Array.from({ length: 200 }, () => {
      const id = randomUUIDv7();
      const { key, secret } = format.create(id);
      expect(format.read(key)).toEqual({ id, secret });
      return secret;
    });
    expect(new Set(keys).size).toBe(200);
    expect(new Set(keys.join('')).size).toBe(62);
  });

  it('the pattern for scanners that the page publishes finds keys in text, and no words of it [A2-8]', () => {
    const scanner = new RegExp(published, 'g');
    const keys = Array.from({ length: 50 }, () => format.create(randomUUIDv7()).key);
    const text = keys.map((key, at) => `export KEY_${at}="${key}";`).join('\n');
    expect(text.match(scanner)).toEqual(keys);
    expect('acme_live_wires_are_dangerous acme_live_0123456789'.match(scanner)).toBeNull();
  });

  it('a letter that is another one, or two that changed places: no key', () => {
    const { key } = format.create(randomUUIDv7());
    for (let at = 0; at < key.length - 1; at++) {
      const other = key[at] === 'a' ? 'b' : 'a';
      expect(format.read(key.slice(0, at) + other + key.slice(at + 1))).toBeUndefined();
      const swapped = key.slice(0, at) + key[at + 1] + key[at] + key.slice(at + 2);
      if (swapped !== key) expect(format.read(swapped)).toBeUndefined();
    }
  });

  it('a key of another service or environment is none here', () => {
    for (const other of [new KeyFormat('acme', 'test'), new KeyFormat('other', 'live')])
      expect(format.read(other.create(randomUUIDv7()).key)).toBeUndefined();
  });

  it('finds keys in text that hides them behind letters, each once', () => {
    const { key, secret } = format.create(randomUUIDv7());
    const text = `{"a":"\\n${key}\\n${key}"} xx${key} ${key}yy`;
    expect(format.find(text).map((found) => found.secret)).toEqual([secret]);
  });

  it('looks through long texts that are nearly keys in time that grows with their length [ASVS 1.3.12]', () => {
    const { key } = format.create(randomUUIDv7());
    const looks = (text: string) => {
      const startedAt = performance.now();
      format.find(text);
      return performance.now() - startedAt;
    };
    for (const part of ['a', '_', 'a_', 'a1_b2_', key.slice(0, -1), `${key.slice(0, 43)}_`])
      expect([part, looks(part.repeat(Math.ceil(500_000 / part.length))) < 2_000]).toEqual([part, true]);
  });
});
