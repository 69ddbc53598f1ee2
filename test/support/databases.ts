import { createHash, randomBytes } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import pg from 'pg';
import { startEmbedded } from '../../src/database/embedded.js';
import { migrate, readMigrations } from '../../src/database/migrations.js';
import { profile } from './profile.js';

/** The id of this run, handed to the worker processes through the environment. */
const run = (process.env['TEST_RUN'] ??= randomBytes(6).toString('hex'));

/** Kept from run to run, because the first start of a database takes seconds. Other migrations, or other packages, are another template. */
const templateDirectory = (): string => {
  const made = createHash('sha256').update(readFileSync('package-lock.json'));
  for (const { name, checksum } of readMigrations()) made.update(`${name} ${checksum}\n`);
  return resolve('node_modules/.cache/test-databases', made.digest('hex').slice(0, 16));
};
const templateDatabase = `template_${run}`;

/** Migrates one database; every test file copies it, which is ten times faster than to migrate its own. */
export async function makeTemplate(): Promise<void> {
  const chosen = profile();
  if (chosen.name === 'services') {
    await administer(chosen.databaseUrl, `CREATE DATABASE ${templateDatabase} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'`);
    await migrate({ connectionString: databaseUrl(chosen.databaseUrl, templateDatabase) });
    return;
  }
  if (existsSync(templateDirectory())) return;
  // Made beside it and renamed: a run that is killed half-way leaves no half template, and of two runs at once one wins.
  mkdirSync(dirname(templateDirectory()), { recursive: true });
  const unfinished = mkdtempSync(`${templateDirectory()}-`);
  const embedded = await startEmbedded(unfinished);
  await migrate({ host: embedded.socketDirectory, port: 5432, user: 'postgres', database: 'postgres' });
  await embedded.close();
  try {
    renameSync(unfinished, templateDirectory());
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    if (!existsSync(templateDirectory())) throw error;
  }
}

export async function dropTemplate(): Promise<void> {
  const chosen = profile();
  if (chosen.name === 'services') {
    // A test file that was killed leaves its database behind.
    const left = await administer(chosen.databaseUrl, `SELECT datname AS name FROM pg_database WHERE datname LIKE 'test\\_${run}\\_%'`);
    for (const name of [templateDatabase, ...left]) await administer(chosen.databaseUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  }
}

export interface TestDatabase {
  /** undefined: the embedded database under `dataDirectory`. */
  readonly url: string | undefined;
  readonly dataDirectory: string;
  drop(): Promise<void>;
}

/** A database and a data directory of its own for one test file. */
export async function freshDatabase(): Promise<TestDatabase> {
  const dataDirectory = mkdtempSync(join(tmpdir(), 'service-test-'));
  const chosen = profile();
  if (chosen.name === 'embedded') {
    mkdirSync(dataDirectory, { recursive: true });
    cpSync(join(templateDirectory(), 'database'), join(dataDirectory, 'database'), { recursive: true });
    return { url: undefined, dataDirectory, drop: async () => rmSync(dataDirectory, { recursive: true, force: true }) };
  }
  const name = `test_${run}_${randomBytes(6).toString('hex')}`;
  await administer(chosen.databaseUrl, `CREATE DATABASE ${name} TEMPLATE ${templateDatabase}`);
  return {
    url: databaseUrl(chosen.databaseUrl, name),
    dataDirectory,
    async drop() {
      await administer(chosen.databaseUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      rmSync(dataDirectory, { recursive: true, force: true });
    },
  };
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
