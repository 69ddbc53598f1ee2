import type { Client } from 'pg';

// PostgreSQL reads and plans a statement anew each time, which is a third of the time of a short one, unless its
// connection knows it by a name.

/** A connection keeps some 30 kB for each. Texts that come later are planned each time, as all were without this. */
const maxNames = 200;

/** Gives each text of a statement its name, the same on all connections; undefined for those that are not kept. */
export function statementNames(): (statement: { readonly sql: string; readonly args: readonly unknown[] }) => string {
  const names = new Map<string, string>();
  return ({ sql, args }) => {
    // BEGIN and the like: there is nothing to plan. The driver takes undefined as no name, its types do not say so.
    if (args.length === 0) return undefined as unknown as string;
    const known = names.get(sql);
    if (known !== undefined || names.size >= maxNames) return known as string;
    const name = `s${names.size}`;
    names.set(sql, name);
    return name;
  };
}

/**
 * Whether it is always the same session of PostgreSQL: then the settings that were sent with its start are the
 * client's. A pooler drops them (session.ts), and may take another session for each transaction, which knows no names.
 */
export async function isOneSession(client: Client): Promise<boolean> {
  const { rows } = await client.query(`SELECT FROM pg_settings WHERE name = 'search_path' AND source = 'client'`);
  return rows.length === 1;
}

const stale = new Set(['0A000', '26000']);

/**
 * Whether the SQLSTATE says that a connection knows a statement by a name that is of no use: after a migration its plan
 * no longer fits the table, or the session has lost it. It would fail at each further use.
 */
export const isStale = (code: string | undefined): boolean => code !== undefined && stale.has(code);
