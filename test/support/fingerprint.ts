import type { TestApp } from './app.js';

/** Filled a moment after an answer, or by whoever reads: what they hold is no change that a request made. */
const aside = ['audit_events', 'audit_links', 'audit_checkpoints', 'alerts', 'outgoing_mails', 'data_keys'];

/** What is in each table, to show that a request changed nothing. */
export async function fingerprint(app: TestApp): Promise<Readonly<Record<string, unknown>>> {
  const tables = await app.sql<{ name: string }>(
    `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' AND tablename <> ALL ($1) ORDER BY 1`,
    [aside],
  );
  const content: Record<string, unknown> = {};
  for (const { name } of tables)
    [content[name]] = await app.sql(
      `SELECT count(*)::int, sum(hashtext(t::text)::bigint)::text AS sum FROM "${name}" t`,
    );
  return content;
}
