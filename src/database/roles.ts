import pg, { type Client, type ClientConfig } from 'pg';
import { ConfigurationError } from '../config/index.js';
import { withClient } from './connection.js';

// Threat: SQL that reaches the database through the service (injection, a stolen credential) drops the trigger,
// rewrites the audit trail, or reads files of the server. Tables belong to an owner who migrates; the service gets rows
// and nothing else (ASVS v5.0.0-13.2.2). Only PostgreSQL knows that boundary: the one user of the embedded database is
// its superuser.

/** Tables to which the service adds rows, and never changes or deletes one. */
const appendOnly = ['audit_events', 'tombstones'];
const readOnly: readonly string[] = ['_prisma_migrations'];

/** Further ones, of a part that brings them. */
export const declareAppendOnly = (...tables: readonly string[]): void => void appendOnly.push(...tables);

const { escapeIdentifier } = pg;
const fix = 'give the service a role of its own (npm run cli -- db:roles <role>)';

/**
 * What the role, or any role that it can become, may do beyond rows.
 * @param role the role of the session when it is left out.
 * @returns a line for each excess, without any value.
 */
export async function excessRights(client: Client, role?: string): Promise<string[]> {
  const tables = [...appendOnly, ...readOnly].map((table) => `public.${table}`);
  const [found = {}] = (await client.query<Record<string, boolean>>(excessQuery, [role ?? null, tables])).rows;
  if (found['superuser'] !== false)
    return [`DATABASE_URL: its role is a superuser, whom no grant and no trigger stops: ${fix}`];
  const lines = {
    administers: 'may make roles or databases, copy the server, pass row security, or use its files and programs',
    owns: 'owns tables or other objects, so it can drop the trigger that keeps the audit trail',
    creates: 'may create tables or functions',
    rewrites: `may change or delete rows of ${[...appendOnly, ...readOnly].join(' or ')}`,
  };
  const excess = Object.entries(lines).filter(([name]) => found[name] !== false);
  return excess.map(([, line]) => `DATABASE_URL: its role ${line}: ${fix}`);
}

// Over every role that the session can become: a right behind SET ROLE, or behind RESET ROLE, is a right all the same.
const excessQuery = `
  SELECT bool_or(r.rolsuper) AS superuser,
    bool_or(r.rolcreaterole OR r.rolcreatedb OR r.rolreplication OR r.rolbypassrls
      OR r.rolname IN ('pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program')) AS administers,
    bool_or(EXISTS (SELECT FROM pg_shdepend s JOIN pg_database d ON d.datname = current_database()
      WHERE s.refclassid = 'pg_authid'::regclass AND s.refobjid = r.oid AND s.deptype = 'o'
        AND (s.dbid = d.oid OR (s.classid = 'pg_database'::regclass AND s.objid = d.oid)))) AS owns,
    -- A temporary table, or one in a schema with the name of the role, is found before the real one: it would catch the
    -- audit events.
    bool_or(has_database_privilege(r.oid, current_database(), 'CREATE, TEMPORARY') OR EXISTS (SELECT FROM pg_namespace n
      WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
        AND has_schema_privilege(r.oid, n.oid, 'CREATE'))) AS creates,
    bool_or(EXISTS (SELECT FROM unnest($2::text[]) AS t (name)
      WHERE has_table_privilege(r.oid, to_regclass(t.name), 'UPDATE, DELETE, TRUNCATE, TRIGGER')
        OR has_any_column_privilege(r.oid, to_regclass(t.name), 'UPDATE'))) AS rewrites
  FROM pg_roles r WHERE pg_has_role(coalesce($1::name, session_user), r.oid, 'MEMBER')`;

/**
 * Gives an existing role exactly what the service needs on the tables of the connected owner: again and again with the
 * same result, in one transaction, which is undone when the role may still do too much by other ways.
 * @returns the SQL, executed unless `dryRun`.
 * @throws ConfigurationError with the fix.
 */
export async function grantRuntimeRole(connection: ClientConfig, role: string, dryRun = false): Promise<string[]> {
  return withClient(connection, async (client) => {
    const { rows } = await client.query('SELECT FROM pg_roles WHERE rolname = $1', [role]);
    // It is not made here: a password does not belong on a command line, nor a right to make roles with the owner.
    if (rows.length === 0)
      throw new ConfigurationError(['there is no such role: an administrator makes it (CREATE ROLE … LOGIN)']);
    const statements = await grants(client, escapeIdentifier(role));
    if (dryRun) return statements;
    await client.query('BEGIN');
    for (const statement of statements) await client.query(statement);
    const excess = await excessRights(client, role);
    await client.query(excess.length === 0 ? 'COMMIT' : 'ROLLBACK');
    if (excess.length > 0) throw new ConfigurationError(excess);
    return statements;
  });
}

async function grants(client: Client, role: string): Promise<string[]> {
  const { rows } = await client.query<{ database: string; name: string; kind: string }>(
    `SELECT current_database() AS database, relname AS name, relkind AS kind
     FROM pg_class JOIN pg_roles r ON r.oid = relowner
     WHERE rolname = current_user AND relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'S')
     ORDER BY relname`,
  );
  if (!rows.some(({ name }) => name === '_prisma_migrations')) {
    throw new ConfigurationError([
      'the tables are missing or not yours: set DATABASE_OWNER_URL, and run db:migrate first',
    ]);
  }
  const database = escapeIdentifier(rows[0]?.database ?? '');
  return [
    `GRANT CONNECT ON DATABASE ${database} TO ${role}`,
    `REVOKE TEMPORARY ON DATABASE ${database} FROM PUBLIC, ${role}`,
    `REVOKE CREATE ON SCHEMA public FROM PUBLIC, ${role}`,
    `GRANT USAGE ON SCHEMA public TO ${role}`,
    ...rows.flatMap(({ name, kind }) => {
      const object = `${kind === 'S' ? 'SEQUENCE' : 'TABLE'} public.${escapeIdentifier(name)}`;
      return [`REVOKE ALL ON ${object} FROM PUBLIC, ${role}`, `GRANT ${rightsOn(name, kind)} ON ${object} TO ${role}`];
    }),
    `ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO ${role}`,
    `ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO ${role}`,
  ];
}

function rightsOn(name: string, kind: string): string {
  if (kind === 'S') return 'USAGE';
  if (readOnly.includes(name)) return 'SELECT';
  return appendOnly.includes(name) ? 'SELECT, INSERT' : 'SELECT, INSERT, UPDATE, DELETE';
}
