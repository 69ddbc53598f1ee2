import { Database } from '../../src/database/index.js';
import { fieldMap } from '../../src/generated/field-encryption/index.js';
import type { FieldMap } from '@nestjs-secure-template/field-encryption';
import type { TestApp } from './app.js';

/** Columns whose value proves something, or finds somebody: digests, index entries, wrapped keys. */
const secretColumn = /(?:^|_)(?:mac|hash|index|wrapped|secret)$/;
/** Sealed fields that nobody is ever shown, neither as they are stored nor opened. */
const secretField = /^(?:hash|secret|publicKey|privateJwk)$/;

type Rows = { findMany(): Promise<Record<string, unknown>[]> };

const models: FieldMap = fieldMap;

/** The kinds of secrets that every service has, and those that its schema declares: as stored, and opened. */
export const secretKinds: readonly string[] = [
  'sessions.authority_mac',
  'audit_events.mac',
  'users.email_index',
  'data_keys.wrapped',
  ...Object.entries(models).flatMap(([model, { table, columns, encrypted }]) =>
    Object.keys(encrypted)
      .filter((field) => secretField.test(field))
      .flatMap((field) => [`${table}.${columns[field]}`, `${model}.${field}, opened`]),
  ),
];

/** Whatever is in the database and must never be in an answer or in the log: as it is stored, and opened. */
export async function storedSecrets(app: TestApp): Promise<ReadonlyMap<string, string>> {
  return new Map([...(await storedForms(app)), ...(await openedForms(app))].filter(([value]) => value.length >= 16));
}

async function storedForms(app: TestApp): Promise<[string, string][]> {
  const tables = await app.sql<{ name: string }>(`SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'`);
  const found: [string, string][] = [];
  for (const { name } of tables) {
    for (const row of await app.sql(`SELECT * FROM "${name}"`)) {
      for (const [column, value] of Object.entries(row)) {
        if (typeof value === 'string' && (value.startsWith('enc:v1:') || secretColumn.test(column)))
          found.push([value, `${name}.${column}`]);
      }
    }
  }
  return found;
}

async function openedForms(app: TestApp): Promise<[string, string][]> {
  const client = app.on(0).service.app.get(Database, { strict: false }).client as unknown as Record<string, Rows>;
  const found: [string, string][] = [];
  for (const model of Object.keys(models)) {
    for (const row of (await client[`${model.charAt(0).toLowerCase()}${model.slice(1)}`]?.findMany()) ?? []) {
      for (const [field, value] of Object.entries(row)) {
        if (secretField.test(field) && typeof value === 'string')
          found.push([secretPart(field, value), `${model}.${field}, opened`]);
      }
    }
  }
  return found;
}

/** Of a private key that is a JWK, the one member that is secret. */
const secretPart = (field: string, value: string): string =>
  field === 'privateJwk' ? (JSON.parse(value) as { d: string }).d : value;
