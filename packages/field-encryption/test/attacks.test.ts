import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes, randomUUIDv7 } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { purposes } from './support/purposes.js';
import { FieldEncryptionError, KeyRing } from '../src/index.js';
import { person, Vault, type TestClient } from './support/vault.js';
import { DataKeyCache } from '../src/index.js';

// The attacker writes to the database by SQL. Whatever is moved, changed or planted is refused on reading, and
// reported.

let vault: Vault;
/** Keeps no keys, so that changes of the table of data keys are seen at once. */
let db: TestClient;
let ann: ReturnType<typeof person>;
let eve: ReturnType<typeof person>;

beforeAll(async () => {
  vault = await Vault.open();
  db = vault.connect({ cache: new DataKeyCache({ maxKeys: 1, maxAgeSeconds: 0 }) });
  // The CHECK constraints would stop some of the attacks before they reach the cells: the attacker has removed them.
  for (const [table, column] of [
    ['users', 'email'],
    ['users', 'name'],
    ['users', 'phone'],
    ['documents', 'note'],
    ['password_credentials', 'hash'],
  ]) {
    await vault.sql(`ALTER TABLE ${table} DROP CONSTRAINT ${table}_${column}_check`);
  }
});
afterAll(() => vault.close());

beforeEach(async () => {
  [ann, eve] = [person('ann'), person('eve')];
  for (const data of [ann, eve]) {
    await db.user.create({
      data: {
        ...data,
        password: { create: { hash: `hash of ${data.name}` } },
        documents: { create: { title: 'T', body: 'B', note: data.name } },
      },
    });
  }
  vault.faults.length = 0;
});

const cellOf = async (column: string, id: string): Promise<string> =>
  (await vault.sql(`SELECT ${column} AS cell FROM users WHERE id = $1`, [id]))[0]?.['cell'] ?? '';
const plant = (column: string, cell: string | null) =>
  vault.sql(`UPDATE users SET ${column} = $1 WHERE id = $2`, [cell, ann.id]);
const readAnn = () => db.user.findUnique({ where: { id: ann.id } });
const change = (at: number) => async () => {
  const cell = await cellOf('name', ann.id);
  const body = Buffer.from(cell.slice(44), 'base64url');
  const index = at < 0 ? body.length + at : at;
  body[index] = (body[index] ?? 0) ^ 1;
  await plant('name', cell.slice(0, 44) + body.toString('base64url'));
};
const replaceKey = (id: string) => async () => plant('name', `enc:v1:${id}${(await cellOf('name', ann.id)).slice(43)}`);
const keysOf = (statement: string, ...values: string[]) => vault.sql(statement, values);

const attacks: readonly (readonly [attack: string, field: string, code: string, run: () => Promise<unknown>])[] = [
  ['copies the cell of another user', 'name', 'foreign-key', async () => plant('name', await cellOf('name', eve.id))],
  ['swaps two columns of one row', 'name', 'broken-cell', async () => plant('name', await cellOf('phone', ann.id))],
  ['flips a bit of the nonce', 'name', 'broken-cell', change(0)],
  ['flips a bit of the ciphertext', 'name', 'broken-cell', change(12)],
  ['flips a bit of the tag', 'name', 'broken-cell', change(-1)],
  [
    'cuts the ciphertext',
    'name',
    'broken-cell',
    async () => plant('name', (await cellOf('name', ann.id)).slice(0, -8)),
  ],
  [
    'cuts the tag to 12 bytes',
    'phone',
    'broken-cell',
    async () => {
      const body = Buffer.from((await cellOf('phone', ann.id)).slice(44), 'base64url').subarray(0, -4);
      await plant('phone', (await cellOf('phone', ann.id)).slice(0, 44) + body.toString('base64url'));
    },
  ],
  [
    'leaves only nonce and tag',
    'name',
    'broken-cell',
    async () => plant('name', (await cellOf('name', ann.id)).slice(0, 44) + randomBytes(28).toString('base64url')),
  ],
  [
    'leaves less than a nonce',
    'name',
    'broken-cell',
    async () => plant('name', (await cellOf('name', ann.id)).slice(0, 50)),
  ],
  ['names a key that does not exist', 'name', 'unknown-key', async () => replaceKey(randomUUIDv7())()],
  [
    'names the key of another subject',
    'name',
    'foreign-key',
    async () => replaceKey((await cellOf('name', eve.id)).slice(7, 43))(),
  ],
  ['names a key that is no UUID', 'name', 'not-a-cell', async () => replaceKey("' OR 1=1 --".padEnd(36))()],
  [
    'spells the key id in capitals',
    'name',
    'not-a-cell',
    async () => replaceKey((await cellOf('name', ann.id)).slice(7, 43).toUpperCase())(),
  ],
  ['appends padding', 'name', 'broken-cell', async () => plant('name', `${await cellOf('name', ann.id)}=`)],
  [
    'spells the same bytes in the other alphabet',
    'name',
    'broken-cell',
    async () =>
      plant('name', `${(await cellOf('name', ann.id)).slice(0, 44)}++${(await cellOf('name', ann.id)).slice(46)}`),
  ],
  ['plants plaintext', 'name', 'not-a-cell', () => plant('name', 'Mallory')],
  ['plants an empty text', 'name', 'not-a-cell', () => plant('name', '')],
  [
    'plants another version of the format',
    'name',
    'not-a-cell',
    async () => plant('name', (await cellOf('name', ann.id)).replace('enc:v1:', 'enc:v2:')),
  ],
  [
    'swaps the blind index with another user',
    'email',
    'index-mismatch',
    async () => {
      const index = await cellOf('email_index', eve.id);
      await vault.sql('UPDATE users SET email_index = NULL WHERE id = $1', [eve.id]);
      await plant('email_index', index);
    },
  ],
  ['removes the blind index', 'email', 'index-mismatch', () => plant('email_index', null)],
  [
    'forges a blind index',
    'email',
    'index-mismatch',
    () => plant('email_index', `${vault.keyRing.active('blind-index').id}.${randomBytes(32).toString('base64url')}`),
  ],
  [
    'names an unknown key in the blind index',
    'email',
    'index-mismatch',
    () => plant('email_index', `blind-index-0.${randomBytes(32).toString('base64url')}`),
  ],
  [
    'destroys the data key',
    'email',
    'destroyed-key',
    () =>
      keysOf(
        `UPDATE data_keys SET state = 'destroyed', wrapped = NULL, destroyed_at = now() WHERE subject = $1`,
        ann.id,
      ),
  ],
  ['deletes the data key', 'email', 'unknown-key', () => keysOf('DELETE FROM data_keys WHERE subject = $1', ann.id)],
  [
    'swaps the wrapped keys of two subjects',
    'email',
    'broken-key',
    () =>
      keysOf(
        'UPDATE data_keys SET wrapped = (SELECT wrapped FROM data_keys WHERE subject = $2) WHERE subject = $1',
        ann.id,
        eve.id,
      ),
  ],
  [
    'gives the data key to another subject',
    'email',
    'broken-key',
    () => keysOf('UPDATE data_keys SET subject = $2 WHERE subject = $1', ann.id, randomUUIDv7()),
  ],
  [
    'gives the data key another purpose',
    'email',
    'broken-key',
    () => keysOf(`UPDATE data_keys SET purpose = 'jwt' WHERE subject = $1`, ann.id),
  ],
  [
    'cuts the wrapped key to less than a tag',
    'email',
    'broken-key',
    () => keysOf('UPDATE data_keys SET wrapped = left(wrapped, 20) WHERE subject = $1', ann.id),
  ],
  [
    'names another wrapping key',
    'email',
    'broken-key',
    () => keysOf(`UPDATE data_keys SET wrapping_key = 'pii-0' WHERE subject = $1`, ann.id),
  ],
  [
    'names another wrapper',
    'email',
    'broken-key',
    () => keysOf(`UPDATE data_keys SET wrapper = 'none' WHERE subject = $1`, ann.id),
  ],
];

describe('attacks by SQL: refused and reported, never a value [practice 7.3] [ASVS 11.3.3] [ASVS 16.3.3]', () => {
  it.each(attacks)('%s', async (_, field, code, attack) => {
    await attack();
    const error = await readAnn().catch((thrown: unknown) => thrown as Error);
    expect(error).toBeInstanceOf(FieldEncryptionError);
    expect(error).toMatchObject({ code });
    expect(vault.faults).toEqual([{ model: 'User', field, rowId: ann.id, code }]);
    for (const value of [ann.email, ann.name, eve.name, 'Mallory'])
      expect((error as Error).message).not.toContain(value);
  });

  it('copies their own password hash into another account: refused', async () => {
    await vault.sql(
      `UPDATE password_credentials SET hash = (SELECT hash FROM password_credentials WHERE user_id = $1)
       WHERE user_id = $2`,
      [eve.id, ann.id],
    );
    await expect(db.passwordCredential.findUnique({ where: { userId: ann.id } })).rejects.toMatchObject({
      code: 'foreign-key',
    });
    expect(vault.faults).toEqual([{ model: 'PasswordCredential', field: 'hash', rowId: ann.id, code: 'foreign-key' }]);
  });

  it('plants a bare argon2 hash of a password they know: refused [ASVS 11.3.3]', async () => {
    await vault.sql(
      `UPDATE password_credentials SET hash = '$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA' WHERE user_id = $1`,
      [ann.id],
    );
    await expect(db.user.findUnique({ where: { id: ann.id }, select: { password: true } })).rejects.toMatchObject({
      code: 'not-a-cell',
    });
  });

  it('gives a document to another owner: its note stays shut', async () => {
    await vault.sql('UPDATE documents SET owner_id = $1 WHERE owner_id = $2', [eve.id, ann.id]);
    await expect(db.document.findMany({ where: { ownerId: eve.id } })).rejects.toMatchObject({ code: 'foreign-key' });
  });

  it('moves a cell to a table with the same subject and the same kind of value: refused', async () => {
    await db.registration.create({
      data: { id: ann.id, email: ann.email },
    });
    await vault.sql('UPDATE registrations SET email = (SELECT email FROM users WHERE id = $1) WHERE id = $1', [ann.id]);
    await expect(db.registration.findUnique({ where: { id: ann.id } })).rejects.toMatchObject({ code: 'broken-cell' });
  });

  it('hides a cell in a column in clear: refused', async () => {
    await vault.sql('UPDATE documents SET title = note WHERE owner_id = $1', [ann.id]);
    await expect(db.document.findMany({ where: { ownerId: ann.id } })).rejects.toMatchObject({ code: 'stray-cell' });
  });

  it.each([
    ['within a longer text', (cell: string) => `see ${cell}, and more`],
    ['in JSON within a text', (cell: string) => JSON.stringify({ copied: cell })],
  ])('hides a cell %s in a column in clear: refused', async (_, hide) => {
    await vault.sql('UPDATE documents SET body = $1 WHERE owner_id = $2', [hide(await cellOf('name', ann.id)), ann.id]);
    await expect(db.document.findMany({ where: { ownerId: ann.id } })).rejects.toMatchObject({ code: 'stray-cell' });
    await expect(db.user.findUnique({ where: { id: ann.id }, select: { documents: true } })).rejects.toMatchObject({
      code: 'stray-cell',
    });
    await expect(db.user.findUnique({ where: { id: ann.id } }).documents()).rejects.toMatchObject({
      code: 'stray-cell',
    });
  });

  it.each([
    ['a list', `SELECT ARRAY['x', name] AS value FROM users WHERE id = $1::uuid`],
    [
      'JSON',
      `SELECT jsonb_build_object('deep', jsonb_build_array(jsonb_build_object('text', 'a ' || name))) AS value
       FROM users WHERE id = $1::uuid`,
    ],
    ['a name in JSON', `SELECT jsonb_build_object(name, 1) AS value FROM users WHERE id = $1::uuid`],
    ['bytes', `SELECT convert_to('<' || name || '>', 'UTF8') AS value FROM users WHERE id = $1::uuid`],
    ['a text of several rows', `SELECT string_agg(name, ';') AS value FROM users WHERE id = $1::uuid`],
  ])('a raw query hands a cell out within %s: refused', async (_, query) => {
    await expect(db.$queryRawUnsafe(query, ann.id)).rejects.toMatchObject({ code: 'stray-cell' });
    expect(vault.faults).toMatchObject([{ code: 'stray-cell' }]);
  });

  it('an extension on top, which would run behind the checks: refused, with the order that works', () => {
    const extensible = db as unknown as { $extends(extension: object): unknown };
    const sorting = {
      query: {
        user: {
          findMany: ({ args, query }: { args: object; query: (args: object) => unknown }) =>
            query({ ...args, orderBy: { email: 'asc' } }),
        },
      },
    };
    expect(() => extensible.$extends(sorting)).toThrow(/extend the client first, then protectFields/);
  });

  it('tampers with one row of a page: the page fails, the other rows still open', async () => {
    await plant('name', 'Mallory');
    await expect(db.user.findMany({ where: { id: { in: [ann.id, eve.id] } } })).rejects.toMatchObject({
      code: 'not-a-cell',
    });
    expect(await db.user.findUnique({ where: { id: eve.id } })).toMatchObject({ name: eve.name });
  });

  it('tampers with a data key before a write: nothing is sealed with another key', async () => {
    await vault.sql(
      'UPDATE data_keys SET wrapped = (SELECT wrapped FROM data_keys WHERE subject = $2) WHERE subject = $1',
      [ann.id, eve.id],
    );
    await expect(db.user.update({ where: { id: ann.id }, data: { name: 'x' } })).rejects.toMatchObject({
      code: 'broken-key',
    });
    expect(vault.faults).toMatchObject([{ model: 'DataKey', code: 'broken-key' }]);
  });

  it('starts the service with another key ring: nothing opens, nothing is sealed', async () => {
    const keyRing = await KeyRing.loadOrCreate(join(mkdtempSync(join(tmpdir(), 'other-ring-')), 'keys.json'), purposes);
    const other = vault.connect({ keyRing });
    await expect(other.user.findUnique({ where: { id: ann.id } })).rejects.toMatchObject({ code: 'broken-key' });
    await expect(other.user.update({ where: { id: ann.id }, data: { name: 'x' } })).rejects.toMatchObject({
      code: 'broken-key',
    });
  });

  it('puts back an older cell of the same field: NOT detected, and documented as such', async () => {
    const older = await cellOf('phone', ann.id);
    await db.user.update({ where: { id: ann.id }, data: { phone: 'new' } });
    await plant('phone', older);
    expect(await readAnn()).toMatchObject({ phone: ann.phone });
    expect(vault.faults).toEqual([]);
  });
});
