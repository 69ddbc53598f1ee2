import type { Client } from 'pg';
import { ConfigurationError } from '../config/index.js';

// What the service relies on in every session. An administrator may have set any of it for the role or the database;
// the driver reads the wall clock of a timestamp as UTC, so in another zone every instant is off, and in the hour that
// a zone skips a used refresh token looks new.

/**
 * Milliseconds. The lock comes first, so that who waits for a row is told so; the link itself is given up after both
 * (pool.ts).
 */
export const timeLimits = {
  lock_timeout: 3_000,
  statement_timeout: 3_500,
  idle_in_transaction_session_timeout: 10_000,
} as const;

const pinned = {
  TimeZone: 'UTC',
  DateStyle: 'ISO,MDY',
  client_encoding: 'UTF8',
  default_transaction_isolation: 'read committed',
  // A schema before this one would show the service other tables than its own.
  search_path: 'public',
} as const;

/** Sent with the start of a session: stronger than what ALTER ROLE and ALTER DATABASE say. */
export const sessionOptions = Object.entries(pinned)
  .map(([name, value]) => `-c ${name}=${value.replaceAll(' ', String.raw`\ `)}`)
  .join(' ');

type Found = Readonly<Record<string, string>>;

/**
 * What to do about a setting that is not as it has to be. A pooler is the only thing between that drops what was sent.
 */
const set = (name: string, value: string): string =>
  `ALTER DATABASE … SET ${name} = '${value}', and see docs/practices/links.md about poolers`;

const pinnedRules = Object.entries(pinned).map(([name, value]) => ({
  holds: (found: Found) => found[name]?.replaceAll(', ', ',').replace('Etc/UTC', 'UTC') === value,
  fault: (found: Found) => `the sessions have ${name} = ${found[name]}: ${set(name, value)}`,
}));

const limitRules = Object.entries(timeLimits).map(([name, milliseconds]) => ({
  holds: (found: Found) => Number(found[name]) > 0 && Number(found[name]) <= milliseconds,
  fault: () => `${name} is not in force: ${set(name, `${milliseconds}ms`)}`,
}));

const databaseRules = [
  {
    holds: (found: Found) => found['server_encoding'] === 'UTF8',
    fault: (found: Found) =>
      `the database stores ${found['server_encoding']}: make it with TEMPLATE template0 ENCODING 'UTF8'`,
  },
  {
    holds: (found: Found) => found['transaction_read_only'] === 'off',
    fault: () =>
      'the database takes no writes (a standby, or default_transaction_read_only): set the address of the primary',
  },
  {
    // Search promises "any case of letters"; the locale C knows those of English alone.
    holds: (found: Found) => found['folds'] !== 'false',
    fault: () =>
      "the database knows no case but that of English letters: make it with TEMPLATE template0 LOCALE 'C.UTF-8'",
  },
];

/**
 * Asks the session itself, because what was sent may have been dropped on the way.
 * @throws ConfigurationError with a line for each setting that is not as the service needs it.
 */
export async function assertSession(client: Client, { limits }: { limits: boolean }): Promise<void> {
  const names = [...Object.keys(pinned), 'server_encoding', 'transaction_read_only'];
  const { rows } = await client.query<{ name: string; value: string }>(
    `SELECT name, current_setting(name) AS value FROM unnest($1::text[]) AS t (name)
     UNION ALL SELECT name, setting FROM pg_settings WHERE name = ANY ($2)`,
    [names, Object.keys(timeLimits)],
  );
  const found: Record<string, string> = Object.fromEntries(rows.map(({ name, value }) => [name, value]));
  found['folds'] = found['server_encoding'] === 'UTF8' ? await foldsLetters(client) : 'unknown';
  const rules = [...databaseRules, ...pinnedRules, ...(limits ? limitRules : [])];
  const faults = rules.filter(({ holds }) => !holds(found)).map(({ fault }) => `DATABASE_URL: ${fault(found)}`);
  if (faults.length > 0) throw new ConfigurationError(faults);
}

async function foldsLetters(client: Client): Promise<string> {
  const { rows } = await client.query<{ folds: boolean }>('SELECT $1::text ILIKE $2 AS folds', ['ÉЖ', 'éж']);
  return String(rows[0]?.folds);
}

/** PgBouncer as it comes refuses what a session begins with; its own message names the parameter, and no fix. */
export function poolerFault(error: unknown): ConfigurationError | undefined {
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (code !== '08P01' || !String(message).includes('startup parameter')) return undefined;
  const fix =
    'connect to PostgreSQL itself, or let the pooler ignore them and set them for the database ' +
    '(docs/practices/links.md)';
  return new ConfigurationError([`DATABASE_URL: a pooler (PgBouncer) refuses the settings of a session: ${fix}`]);
}
