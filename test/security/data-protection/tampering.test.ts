import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signUp, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';

// Somebody writes to the database past the service; the API is asked afterwards. Each attack has to be refused, told to
// the audit trail, and seen in the log, and no value may come out.

let app: TestApp;
const checked = [
  ['users', 'phone'],
  ['users', 'email'],
  ['password_credentials', 'hash'],
] as const;
let alice: Actor;
let mallory: Actor;

beforeAll(async () => {
  app = await startApp();
  [alice, mallory] = await Promise.all([signUp(app, 'alice'), signUp(app, 'mallory')]);
  // The constraint stops the crudest attacks by itself; here the attacker has removed it.
  for (const [table, column] of checked) {
    await app.sql(`ALTER TABLE ${table} DROP CONSTRAINT ${table}_${column}_check`);
  }
});
afterAll(() => app.close());

type Field = 'name' | 'phone';
const cellOf = async (field: Field, { userId } = alice) =>
  (await app.sql<{ cell: string }>(`SELECT ${field} AS cell FROM users WHERE id = $1`, [userId]))[0]?.cell ?? '';
const plant = (cell: string) => app.sql('UPDATE users SET phone = $2 WHERE id = $1', [alice.userId, cell]);
const setPhone = ({ token }: Actor, phone: string) => app.request('PATCH', '/v1/users/me', { token, body: { phone } });
const read = () => app.request('GET', '/v1/users/me', { token: alice.token });

/** Changes one character of the part of the cell that begins with `enc:v1:<id>:`. */
function flip(cell: string, at: number): string {
  const start = cell.lastIndexOf(':') + 1;
  const index = at < 0 ? cell.length + at : start + at;
  return `${cell.slice(0, index)}${cell[index] === 'A' ? 'B' : 'A'}${cell.slice(index + 1)}`;
}

type Attack = (cell: string) => Promise<string> | string;

const attacks: Readonly<Record<string, readonly [Attack, string]>> = {
  'takes the cell of another person': [() => cellOf('phone', mallory), 'foreign-key'],
  'takes a cell of another column': [() => cellOf('name'), 'broken-cell'],
  'flips a bit of the nonce': [(cell) => flip(cell, 2), 'broken-cell'],
  'flips a bit of the text': [(cell) => flip(cell, 18), 'broken-cell'],
  'flips a bit of the tag': [(cell) => flip(cell, -6), 'broken-cell'],
  'cuts the text': [(cell) => cell.slice(0, cell.lastIndexOf(':') + 41), 'broken-cell'],
  'cuts the tag to four bytes': [(cell) => cell.slice(0, -16), 'broken-cell'],
  'names a key that does not exist': [(cell) => cell.replace(/[0-9a-f]{12}:/, '000000000000:'), 'unknown-key'],
  'plants a plaintext': [() => 'readable', 'not-a-cell'],
  'writes base64 in another spelling': [(cell) => `${cell}=`, 'broken-cell'],
};

describe('attacks by SQL, read through the API [practice 7.3] [ASVS 11.3.3] [ASVS 16.3.4]', () => {
  for (const [name, [attack, code]] of Object.entries(attacks)) {
    it(`${name}: 500 without the value, audited and logged`, async () => {
      await setPhone(alice, '+4930471101');
      await setPhone(mallory, '+4930471102');
      await plant(await attack(await cellOf('phone')));
      await refused(read, alice.userId, code);
    });
  }

  it('copies the own password hash into the account of the victim: no sign-in', async () => {
    const [own] = await app.sql<{ hash: string }>('SELECT hash FROM password_credentials WHERE user_id = $1', [
      mallory.userId,
    ]);
    const [before] = await app.sql<{ hash: string }>('SELECT hash FROM password_credentials WHERE user_id = $1', [
      alice.userId,
    ]);
    await app.sql('UPDATE password_credentials SET hash = $2 WHERE user_id = $1', [alice.userId, own?.hash]);
    const login = () =>
      app.request('POST', '/v1/auth/login', { body: { email: alice.email, password: mallory.password } });
    await refused(login, alice.userId, 'foreign-key');
    await app.sql('UPDATE password_credentials SET hash = $2 WHERE user_id = $1', [alice.userId, before?.hash]);
  });

  it('gives the own row the blind index of the victim: the address of the victim signs nobody in', async () => {
    const [victim] = await app.sql<{ email_index: string }>('SELECT email_index FROM users WHERE id = $1', [
      alice.userId,
    ]);
    const [own] = await app.sql<{ email_index: string }>('SELECT email_index FROM users WHERE id = $1', [
      mallory.userId,
    ]);
    await app.sql('UPDATE users SET email_index = NULL WHERE id = $1', [alice.userId]);
    await app.sql('UPDATE users SET email_index = $2 WHERE id = $1', [mallory.userId, victim?.email_index]);
    const login = () =>
      app.request('POST', '/v1/auth/login', { body: { email: alice.email, password: mallory.password } });
    await refused(login, mallory.userId, 'index-mismatch');
    await app.sql('UPDATE users SET email_index = $2 WHERE id = $1', [mallory.userId, own?.email_index]);
    await app.sql('UPDATE users SET email_index = $2 WHERE id = $1', [alice.userId, victim?.email_index]);
  });

  it('swaps the wrapped data keys of two people: neither opens', async () => {
    await setPhone(alice, '+4930471101');
    await app.sql(
      `UPDATE data_keys one SET wrapped = other.wrapped FROM data_keys other
       WHERE one.subject = $1 AND other.subject = $2 OR one.subject = $2 AND other.subject = $1`,
      [alice.userId, mallory.userId],
    );
    // A start refuses columns that take plaintext.
    for (const [table, column] of checked)
      await app.sql(`ALTER TABLE ${table} ADD CONSTRAINT ${table}_${column}_check CHECK (is_sealed_cell(${column}))`);
    // Keys that are in memory stay right for a minute at most; a restart empties it.
    await app.restart();
    await refused(read, alice.userId, 'broken-key');
  });
});

/** The request fails in general terms, and the fault is in the audit trail and in the log. */
async function refused(send: () => ReturnType<TestApp['request']>, rowId: string, code: string): Promise<void> {
  const answer = await send();
  expect(answer).toMatchObject({ status: 500, body: { type: '/problems/internal-error' } });
  expect(answer.text).not.toMatch(/4711|enc:v1|cell|key/i);
  const event = await app.auditEvent(
    'crypt_decrypt_fail',
    (row) => row['target_id'] === rowId && (row['details'] as { code: string }).code === code,
  );
  expect(event).toMatchObject({ outcome: 'failure' });
  // With: logging.
  const requestId = answer.headers['x-request-id'];
  // With: logging.
  expect(
    app.logs().some((line) => line['http.request.id'] === requestId && line['error.type'] === 'FieldEncryptionError'),
  ).toBe(true);
}
