import { createHash, randomBytes } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import pg from 'pg';
import { withClient } from '../../src/database/index.js';
import { startEmbedded } from '../../src/database/embedded.js';
import { migrate, readMigrations } from '../../src/database/migrations.js';
import { profile } from './profile.js';

/** The id of this run, handed to the worker processes through the environment. */
export const run = (process.env['TEST_RUN'] ??= randomBytes(6).toString('hex'));

/** The table of the sample feature, beside those of the service. */
const sampleTable = (): string => readFileSync('test/support/sample/sample.sql', 'utf8');

/**
 * Kept from run to run, because the first start of a database takes seconds. Other migrations, or other packages, are
 * another template.
 */
const templateDirectory = (): string => {
  const made = createHash('sha256').update(readFileSync('package-lock.json'));
  for (const { name, checksum } of readMigrations()) made.update(`${name} ${checksum}\n`);
  made.update(sampleTable());
  return resolve('node_modules/.cache/test-databases', made.digest('hex').slice(0, 16));
};
const templateDatabase = `template_${run}`;

/** Migrates one database of each kind; the tests use copies, which is ten times faster. */
export async function makeTemplate(): Promise<void> {
  const chosen = profile();
  if (chosen.name === 'services') {
    await administer(
      chosen.databaseUrl,
      `CREATE DATABASE ${templateDatabase} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'`,
    );
    await migrateWithSamples({ connectionString: databaseUrl(chosen.databaseUrl, templateDatabase) });
  }
  if (existsSync(templateDirectory())) return;
  // Made beside it and renamed: a run that is killed half-way leaves no half template, and of two runs at once one
  // wins.
  mkdirSync(dirname(templateDirectory()), { recursive: true });
  const unfinished = mkdtempSync(`${templateDirectory()}-`);
  const embedded = await startEmbedded(unfinished);
  await migrateWithSamples({ host: embedded.socketDirectory, port: 5432, user: 'postgres', database: 'postgres' });
  await embedded.close();
  try {
    renameSync(unfinished, templateDirectory());
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    if (!existsSync(templateDirectory())) throw error;
  }
}

/** What a test needs in a database: the tables of the service, and that of the sample feature. */
export async function migrateWithSamples(connection: pg.ClientConfig): Promise<void> {
  await migrate(connection);
  await withClient(connection, (client) => client.query(sampleTable()));
}

export async function dropTemplate(): Promise<void> {
  const chosen = profile();
  if (chosen.name === 'services') {
    // A test file that was killed leaves its database behind.
    const left = await administer(
      chosen.databaseUrl,
      `SELECT datname AS name FROM pg_database WHERE datname LIKE 'test\\_${run}\\_%'`,
    );
    for (const name of [templateDatabase, ...left])
      await administer(chosen.databaseUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  }
}

/** Puts the files of a migrated embedded database under the data directory. */
export function copyFiles(dataDirectory: string): void {
  cpSync(join(templateDirectory(), 'database'), join(dataDirectory, 'database'), { recursive: true });
}

/** A migrated database of that name on the server. @returns its URL. */
export async function copyDatabase(server: string, name: string): Promise<string> {
  await administer(server, `CREATE DATABASE ${name} TEMPLATE ${templateDatabase}`);
  return databaseUrl(server, name);
}

export async function dropDatabase(server: string, name: string): Promise<void> {
  await administer(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
}

async function administer(url: string, statement: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    // CREATE DATABASE copies the template only while nobody else copies it: take turns.
    await client.query('SELECT pg_advisory_lock(48123)');
    return (await client.query<{ name: string }>(statement)).rows.map(({ name }) => name);
  } finally {
    await client.end();
  }
}

function databaseUrl(base: string, name: string): string {
  const url = new URL(base);
  url.pathname = `/${name}`;
  return url.href;
}
