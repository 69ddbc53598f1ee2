import { globSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findColumnFaults, type FieldMap, type ModelFields } from '@nestjs-secure-template/field-encryption';
import { Database } from '../../src/database/index.js';
import { fieldMap } from '../../src/generated/field-encryption/index.js';
import { startApp, type TestApp } from '../support/app.js';

let app: TestApp;
beforeAll(async () => {
  app = await startApp({ instances: 1 });
});
afterAll(() => app.close());

const fields: FieldMap = fieldMap;
const sealedColumns = Object.values(fields).flatMap(({ table, encrypted, columns }) =>
  Object.keys(encrypted).map((field) => [table, columns[field] ?? ''] as const),
);
const key = '01890000-0000-7000-8000-000000000000';
/** What somebody who writes to a table would put there, and what is nearly a cell. */
const noCells = [
  'plaintext',
  '',
  'enc:v1:',
  `enc:v1:${key}:`,
  `enc:v1:${key}:${'A'.repeat(37)}`,
  `enc:v2:${key}:${'A'.repeat(38)}`,
  ` enc:v1:${key}:${'A'.repeat(38)}`,
  `enc:v1:${key}:${'A'.repeat(38)}\nplaintext`,
  `enc:v1:${key}:${'A'.repeat(37)}=`,
  `enc:v1:01890000-0000-4000-8000-000000000000:${'A'.repeat(38)}`,
  `enc:v1:${key.replaceAll('0', 'g')}:${'A'.repeat(38)}`,
  `enc:v1:${key}:${'A'.repeat(38)}+`,
];

/** The SQL state that the database answers with when such a value is put into a new row that has nothing else. */
const insert = (table: string, column: string, value: string) =>
  app.sql(`INSERT INTO ${table} (${column}) VALUES ($1)`, [value]).then(
    () => 'taken',
    (error: { code: string; constraint?: string }) => error.code,
  );

describe('every sealed column of every table [practice 7.1]', () => {
  it.each(sealedColumns)(
    '%s.%s takes cells, and refuses plaintext and what is nearly a cell',
    async (table, column) => {
      // A copy of the table with its CHECKs, in which nothing else is demanded of a row.
      await app.sql(`CREATE TABLE probe (LIKE ${table} INCLUDING CONSTRAINTS)`);
      try {
        const others = await app.sql<{ name: string }>(
          `SELECT attname AS name FROM pg_attribute WHERE attrelid = 'probe'::regclass AND attnum > 0 AND attnotnull`,
        );
        for (const { name } of others) await app.sql(`ALTER TABLE probe ALTER COLUMN ${name} DROP NOT NULL`);
        for (const value of noCells) expect([value, await insert('probe', column, value)]).toEqual([value, '23514']);
        expect(await insert('probe', column, `enc:v1:${key}:${'A'.repeat(38)}`)).toBe('taken');
      } finally {
        await app.sql('DROP TABLE probe');
      }
    },
  );
});

const faults = (map: FieldMap = fields) =>
  findColumnFaults(app.on(0).service.app.get(Database, { strict: false }).client, map);
const user = fields['User'] as ModelFields;
const withField = (encrypted: object): FieldMap => ({
  ...fields,
  User: { ...user, encrypted: { ...user.encrypted, ...encrypted } },
});
const nickname = { name: 'nickname', frozenName: 'User.nickname', subject: { field: 'id' }, purpose: 'pii' } as const;

/** What is missing after the change, and again once the SQL that it names has run. */
async function mended(change: string): Promise<string[]> {
  await app.sql(change);
  const found = await faults();
  for (const fault of found) await app.sql(fault.slice(fault.indexOf(': ') + 2));
  expect(await faults()).toEqual([]);
  return found;
}

it('the migration of the data keys is the one that comes with the package [practice 7.1]', () => {
  const [migration = ''] = globSync('prisma/migrations/*_data_protection/migration.sql');
  expect(readFileSync(migration, 'utf8')).toBe(readFileSync('packages/field-encryption/sql/data-keys.sql', 'utf8'));
});

describe('annotations, columns and constraints are compared [practice 7.1]', () => {
  it('has nothing to say of the migrations as they are', async () => {
    expect(await faults()).toEqual([]);
  });

  it.each([
    // With: totp.
    [
      'dropped',
      'ALTER TABLE totp_authenticators DROP CONSTRAINT totp_authenticators_secret_check',
      'totp_authenticators.secret',
    ],
    ['dropped, of a place', 'ALTER TABLE sessions DROP CONSTRAINT sessions_place_check', 'sessions.place'],
    [
      'reduced to the prefix',
      'ALTER TABLE outgoing_mails DROP CONSTRAINT outgoing_mails_content_check, ' +
        `ADD CONSTRAINT outgoing_mails_content_check CHECK (content LIKE 'enc:v1:%')`,
      'outgoing_mails.content',
    ],
    [
      'widened',
      'ALTER TABLE users DROP CONSTRAINT users_phone_check, ADD CONSTRAINT users_phone_check CHECK ' +
        `(is_sealed_cell(phone) OR phone LIKE '+%')`,
      'users.phone',
    ],
  ])('a CHECK was %s: the column is named, and the SQL that mends it', async (_, change, column) => {
    expect(await mended(change)).toEqual([
      expect.stringContaining(`${column} is encrypted, and its column takes plaintext: ALTER TABLE`),
    ]);
  });

  it('is_sealed_cell() was replaced by one that looks at the prefix', async () => {
    const [{ source } = {}] = await app.sql<{ source: string }>(
      `SELECT pg_get_functiondef('is_sealed_cell'::regproc) AS source`,
    );
    await app.sql(
      'CREATE OR REPLACE FUNCTION is_sealed_cell(cell text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL ' +
        `SAFE RETURN cell LIKE 'enc:v1:%'`,
    );
    expect(await faults()).toEqual([expect.stringContaining('is_sealed_cell() was replaced')]);
    await app.sql(source ?? '');
    expect(await faults()).toEqual([]);
  });

  it('the unique index of an address is gone', async () => {
    expect(await mended('ALTER TABLE users DROP CONSTRAINT users_email_index_key')).toEqual([
      expect.stringContaining('CREATE UNIQUE INDEX ON users (email_index)'),
    ]);
  });

  it('a field was annotated without a migration, with a blind index, or in a table that is not there', async () => {
    const columns = { ...user.columns, nicknameIndex: 'nickname_index' };
    const indexed = { ...nickname, index: { column: 'nicknameIndex', unique: true } };
    expect(await faults(withField({ nickname }))).toEqual([
      'users.nickname is encrypted in the schema, and has no column: ALTER TABLE users ADD COLUMN nickname text ' +
        'CHECK (is_sealed_cell(nickname));',
    ]);
    await app.sql('ALTER TABLE users ADD COLUMN nickname varchar(400)');
    expect(await faults({ ...fields, User: { ...user, columns, encrypted: { nickname: indexed } } })).toEqual([
      expect.stringContaining('its column is character varying(400)'),
      expect.stringContaining('takes plaintext'),
      'users.nickname_index is a blind index in the schema, and has no column: ' +
        'ALTER TABLE users ADD COLUMN nickname_index text; CREATE UNIQUE INDEX ON users (nickname_index);',
    ]);
    await app.sql('ALTER TABLE users DROP COLUMN nickname');
    expect(await faults({ Patient: { ...user, table: 'patients', encrypted: { nickname } } })).toEqual([
      expect.stringContaining('ALTER TABLE patients ADD COLUMN nickname'),
      expect.stringContaining('CREATE CONSTRAINT TRIGGER patients_drop_data_key'),
    ]);
  });

  it.each([
    ['dropped', 'DROP TRIGGER users_drop_data_key ON users'],
    ['disabled', 'ALTER TABLE users DISABLE TRIGGER users_drop_data_key'],
  ])('the trigger that takes the data key of a deleted subject is %s', async (_, change) => {
    await app.sql(change);
    expect(await faults()).toEqual([
      expect.stringMatching(/^users is about somebody, .* data key: CREATE CONSTRAINT TRIGGER users_drop_data_key /),
    ]);
    await app.sql('DROP TRIGGER IF EXISTS users_drop_data_key ON users');
    await app.sql((await faults())[0]?.split('key: ')[1] ?? '');
    expect(await faults()).toEqual([]);
  });

  it('the service does not start on a table that would take plaintext', async () => {
    await app.sql('ALTER TABLE users DROP CONSTRAINT users_phone_check');
    await expect(app.restart()).rejects.toThrow(
      /users\.phone is encrypted, and its column takes plaintext: ALTER TABLE users/,
    );
  });
});
