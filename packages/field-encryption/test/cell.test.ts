import { createSecretKey, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BlindIndex } from '../src/cells/blind-index.js';
import { associatedData, fieldKey, holdsCell, isCell, openCell, sealCell } from '../src/cells/cell.js';
import { DataKey, deriveFieldKey } from '../src/keys/data-key.js';
import { type KeySource, LocalKeyWrapper, type WrapContext } from '../src/keys/key-wrapper.js';

import vectors from './vectors/vectors.json' with { type: 'json' };

const keyId = vectors.dataKey.id;
const rowId = '019a0000-0000-7000-8000-000000000001';
const key = (hex: string) => createSecretKey(Buffer.from(hex, 'hex'));
const source = (id: string, hex: string): KeySource => ({
  active: () => ({ id, key: key(hex) }),
  find: (_, wanted) => (wanted === id ? key(hex) : undefined),
  all: () => [{ id, key: key(hex) }],
});
const random = fieldKey(createSecretKey(randomBytes(32)), keyId, 'User.email');

describe('known answers, computed without this code [practice 7.3] [ASVS 11.3.3]', () => {
  it.each(vectors.cells)('opens the cell of $frozenName', ({ frozenName, rowId: row, text, cell, ...expected }) => {
    const secret = key(vectors.dataKey.secret);
    expect(deriveFieldKey(secret, frozenName).export().toString('hex')).toBe(expected.fieldKey);
    const field = new DataKey(keyId, { purpose: 'pii', subject: 's' }, secret.export()).fieldKey(frozenName);
    expect(associatedData(field.associatedHead, row).toString('hex')).toBe(expected.associatedData);
    expect(openCell(field, row, cell)).toBe(text);
  });

  it('unwraps the data key for its own id, purpose and subject only', async () => {
    const { kek, wrappingKey, wrapped, subject } = vectors.wrap;
    const wrapper = new LocalKeyWrapper(source(wrappingKey, kek));
    const context: WrapContext = { dataKeyId: keyId, purpose: 'pii', subject };
    expect((await wrapper.unwrap({ wrappingKey, wrapped }, context))?.toString('hex')).toBe(vectors.dataKey.secret);
    const others: WrapContext[] = [
      { ...context, dataKeyId: rowId },
      { ...context, purpose: 'jwt' },
      { ...context, subject: rowId },
    ];
    for (const other of others) expect(await wrapper.unwrap({ wrappingKey, wrapped }, other)).toBeUndefined();
    expect(await wrapper.unwrap({ wrappingKey: 'pii-2', wrapped }, context)).toBeUndefined();
    expect(await wrapper.unwrap({ wrappingKey, wrapped: `${wrapped}=` }, context)).toBeUndefined();
  });

  it('computes the blind index', () => {
    const { frozenName, text, index, ...vector } = vectors.blindIndex;
    const blindIndex = new BlindIndex(source(vector.keyId, vector.key));
    expect(blindIndex.of(frozenName, text)).toBe(index);
    expect(blindIndex.matches(frozenName, text, index)).toBe(true);
    expect(blindIndex.matches('Registration.email', text, index)).toBe(false);
    for (const forged of ['', '.', index.slice(0, -1), `${index}=`, index.replace('-1.', '-2.'), index.slice(14)]) {
      expect(blindIndex.matches(frozenName, text, forged)).toBe(false);
    }
  });
});

describe('cells [practice 7.3] [ASVS 11.3.3] [ASVS 11.3.4]', () => {
  it('gives back any Unicode text, and never the same cell twice', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.string({ unit: 'grapheme', maxLength: 300 }),
      fc.constant('enc:v1:'),
    );
    fc.assert(
      fc.property(text, (plain) => {
        const [one, other] = [sealCell(random, rowId, plain), sealCell(random, rowId, plain)];
        expect(openCell(random, rowId, one)).toBe(plain);
        expect(one).not.toBe(other);
        expect(one).toMatch(/^enc:v1:[0-9a-f-]{36}:[A-Za-z0-9_-]{38,}$/);
      }),
    );
  });

  it('draws a new nonce for each of 3,000 cells', () => {
    const nonces = Array.from({ length: 3000 }, () => sealCell(random, rowId, 'x').slice(44, 60));
    expect(new Set(nonces).size).toBe(3000);
  });

  it('flips any single bit of nonce, ciphertext or tag: refused', () => {
    const cell = sealCell(random, rowId, 'ann@example.org');
    const body = Buffer.from(cell.slice(44), 'base64url');
    for (let bit = 0; bit < body.length * 8; bit++) {
      const forged = Buffer.from(body);
      forged[bit >> 3] = (forged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(openCell(random, rowId, cell.slice(0, 44) + forged.toString('base64url'))).toBeUndefined();
    }
  });

  it('cuts the cell at any length, the tag included: refused', () => {
    const cell = sealCell(random, rowId, 'ann@example.org');
    for (let length = 0; length < cell.length; length++)
      expect(openCell(random, rowId, cell.slice(0, length))).toBeUndefined();
  });

  it('spells the same bytes otherwise (padding, other alphabet, line break, loose last bits): refused', () => {
    const cell = sealCell(random, rowId, 'x');
    const last = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const loose = cell.slice(0, -1) + last[last.indexOf(cell.at(-1) ?? '') ^ 1];
    expect(Buffer.from(loose.slice(44), 'base64url')).toEqual(Buffer.from(cell.slice(44), 'base64url'));
    for (const forged of [loose, `${cell}=`, `${cell}\n`, ` ${cell}`, `${cell} `, `${cell}A`]) {
      expect(openCell(random, rowId, forged)).toBeUndefined();
    }
  });

  it('takes for canonical exactly what decodes and encodes to itself', () => {
    const letter = fc.constantFrom(...'ABCDEFGHQUVWXYZagkwz0123489-_', ...'+/=\n \u0141\u{1F600}');
    const loose = fc.tuple(
      fc.uint8Array({ minLength: 27, maxLength: 34 }),
      fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef-_'),
    );
    const respelt = loose.map(([bytes, last]) => Buffer.from(bytes).toString('base64url').slice(0, -1) + last);
    const body = fc.oneof(respelt, fc.string({ unit: letter, minLength: 36, maxLength: 44 }));
    fc.assert(
      fc.property(body, (text) => {
        const bytes = Buffer.from(text, 'base64url');
        expect(isCell(`enc:v1:${keyId}:${text}`)).toBe(bytes.length >= 28 && bytes.toString('base64url') === text);
      }),
      { numRuns: 2_000 },
    );
  });

  it('opens with another row id, field or key: refused', () => {
    const cell = sealCell(random, rowId, 'x');
    expect(openCell(random, keyId, cell)).toBeUndefined();
    expect(openCell(fieldKey(random.key, keyId, 'User.name'), rowId, cell)).toBeUndefined();
    expect(openCell(fieldKey(random.key, rowId, 'User.email'), rowId, cell)).toBeUndefined();
    expect(openCell(fieldKey(createSecretKey(randomBytes(32)), keyId, 'User.email'), rowId, cell)).toBeUndefined();
  });

  it('recognises a cell wherever it hides, and nothing else', () => {
    const cell = sealCell(random, rowId, 'x');
    for (const holder of [
      cell,
      [cell],
      { a: [{ b: cell }] },
      `${cell}!`,
      ` <${cell}>`,
      { [cell]: 1 },
      Buffer.from(`x${cell}x`),
      JSON.stringify([cell]),
    ])
      expect(holdsCell(holder)).toBe(true);
    const harmless = [
      'enc:v1:',
      cell.slice(1),
      cell.slice(0, 60),
      new Date(),
      Buffer.from(cell.slice(1)),
      7,
      null,
      undefined,
      { a: 'b' },
    ];
    for (const value of harmless) expect(holdsCell(value)).toBe(false);
  });
});
