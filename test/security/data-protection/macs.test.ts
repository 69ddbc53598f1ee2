import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { KeyRing } from '@nestjs-secure-template/field-encryption';
import { lengthPrefixed } from '../../../packages/field-encryption/src/cells/aes-gcm.js';
import { Macs, purposes } from '../../../src/common/macs.js';

import vectors from '../../../packages/field-encryption/test/vectors/vectors.json' with { type: 'json' };

describe('MACs [practice 7.3] [ASVS 11.3.3]', () => {
  let keyRing: KeyRing;
  let macs: Macs;
  beforeAll(async () => {
    keyRing = await KeyRing.loadOrCreate(join(mkdtempSync(join(tmpdir(), 'macs-')), 'keys.json'), purposes);
    macs = new Macs(keyRing);
  });

  it('verifies what it signed', () => {
    const { keyId, mac } = macs.sign('audit', ['a', Buffer.from([0, 255])]);
    expect(macs.verify('audit', keyId, ['a', Buffer.from([0, 255])], mac)).toBe(true);
  });

  it('moves a byte from one part to the next: refused', () => {
    const { keyId, mac } = macs.sign('audit', ['ab', 'c']);
    expect(macs.verify('audit', keyId, ['a', 'bc'], mac)).toBe(false);
    expect(macs.verify('audit', keyId, ['abc'], mac)).toBe(false);
  });

  it('uses a MAC of one purpose for another: refused', () => {
    const { keyId, mac } = macs.sign('one-time-token', ['a']);
    expect(macs.verify('refresh-token', keyId, ['a'], mac)).toBe(false);
    expect(macs.verify('refresh-token', keyRing.active('refresh-token').id, ['a'], mac)).toBe(false);
  });

  it('flips a bit, cuts or empties a MAC: refused', () => {
    const { keyId, mac } = macs.sign('audit', ['a']);
    const flipped = Buffer.from(mac);
    flipped[31] = (flipped[31] ?? 0) ^ 1;
    for (const forged of [flipped, mac.subarray(0, 31), Buffer.alloc(0)])
      expect(macs.verify('audit', keyId, ['a'], forged)).toBe(false);
  });

  it('names the key in a keyed text, and finds it among the texts of all keys', () => {
    const text = macs.keyed('rate-limit', 'ann@example.org');
    expect(text).toMatch(new RegExp(`^${keyRing.active('rate-limit').id}\\.[A-Za-z0-9_-]{43}$`));
    expect(macs.keyedWithAllKeys('rate-limit', 'ann@example.org')).toEqual([text]);
    expect(macs.keyed('rate-limit', 'bea@example.org')).not.toBe(text);
  });

  it('gives different bytes to different lists of parts', () => {
    expect(lengthPrefixed(vectors.lengthPrefixed.parts).toString('hex')).toBe(vectors.lengthPrefixed.bytes);
    const parts = fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 4 });
    fc.assert(
      fc.property(parts, parts, (one, other) => {
        const same = one.length === other.length && one.every((part, at) => part === other[at]);
        return lengthPrefixed(one).equals(lengthPrefixed(other)) === same;
      }),
    );
  });
});
