import { randomBytes } from 'node:crypto';
import pg from 'pg';

/** A database of its own on the given server, so that no app finds what another one wrote. */
export interface FreshDatabase {
  readonly url: string;
  drop(): Promise<void>;
}

/** @param server a URL of a user who may create databases. */
export async function createDatabase(server: string, label: string): Promise<FreshDatabase> {
  const name = `bench_${label}_${randomBytes(6).toString('hex')}`;
  await query(server, `CREATE DATABASE ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    drop: async () => void (await query(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)),
  };
}

/** What the figures were measured on. */
export async function describeServer(server: string | undefined): Promise<string> {
  if (server === undefined)
    return 'embedded (PGlite in a worker of each app); set DATABASE_URL to measure on PostgreSQL';
  const [row] = await query(server, 'SHOW server_version');
  return `PostgreSQL ${row?.['server_version']}`;
}

async function query(url: string, statement: string): Promise<Record<string, string>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, string>>(statement)).rows;
  } finally {
    await client.end();
  }
}
