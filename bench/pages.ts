// Does a page cost with the table? A list of each scope, page 1 and page 1,000, forwards and backwards, in a table of a
// million resources (another number of rows as the argument). Alternates the pages; prints medians and their ratio.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { runningEmbedded } from '../src/database/embedded.js';
import { developmentCertificates } from '../src/security/transport/development-certificates.js';
import type { Client } from './client.js';
import { createDatabase, describeServer } from './databases.js';
import { startProcess } from './process.js';
import { ServiceUser } from './service-user.js';

const rows = Number(process.argv[2] ?? 1_000_000);
const deep = Math.min(1_000, Math.floor(rows / 3 / 20) - 1);
const scopes = ['owned', 'shared', 'public'] as const;
const samples = 300;
const goal = 1.2;

/**
 * Every third resource is in each of the scopes, so that no list has its rows together. By SQL, because it would take
 * hours.
 */
async function fill(connection: pg.ClientConfig): Promise<void> {
  const sql = new pg.Client(connection);
  await sql.connect();
  try {
    await sql.query(
      `INSERT INTO users (id, email, name) SELECT '01900000-0000-7000-8000-000000000000', email, ` +
        'name FROM users LIMIT 1',
    );
    // It counts one by one what is counted at once below.
    await sql.query('ALTER TABLE resources DISABLE TRIGGER resources_owner_quota');
    await sql.query(
      `INSERT INTO resources (id, owner_id, title, body, visibility)
       SELECT ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
         CASE n % 3 WHEN 0 THEN me.id ELSE '01900000-0000-7000-8000-000000000000' END,
         'One of many', 'We met.', CASE n % 3 WHEN 1 THEN 'public' ELSE 'private' END
       FROM generate_series(1, $1::int) n, (SELECT id FROM users ORDER BY id DESC LIMIT 1) me`,
      [rows],
    );
    await sql.query(
      `INSERT INTO resource_shares (resource_id, user_id, role)
       SELECT ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, me.id, 'viewer'
       FROM generate_series(2, $1::int, 3) n, (SELECT id FROM users ORDER BY id DESC LIMIT 1) me`,
      [rows],
    );
    await sql.query(
      'INSERT INTO resource_counts (owner_id, count) SELECT owner_id, count(*) ' +
        'FROM resources GROUP BY owner_id ON CONFLICT (owner_id) DO UPDATE SET count = excluded.count',
    );
    await sql.query('ALTER TABLE resources ENABLE TRIGGER resources_owner_quota');
    await sql.query('ANALYZE');
  } finally {
    await sql.end();
  }
}

type Scope = (typeof scopes)[number];

/** The queries of page 1 and of the deep page: of the latter as one comes to it from before, and from behind. */
async function pagesOf(client: Client, token: string, scope: Scope) {
  const first = `/v1/resources?scope=${scope}&limit=20`;
  const read = async (path: string) =>
    (await client.expect(200, 'GET', path, { token })).body as { nextCursor: string; previousCursor: string };
  const at = (cursor: string) => `${first}&cursor=${cursor}`;
  const second = await read(at((await read(first)).nextCursor));
  let [path, page] = [first, await read(first)];
  for (let number = 1; number < deep; number++) [path, page] = [at(page.nextCursor), await read(at(page.nextCursor))];
  const behind = await read(at(page.nextCursor));
  return { forwards: [first, path], backwards: [at(second.previousCursor), at(behind.previousCursor)] } as const;
}

/** Medians of both, in milliseconds. */
async function compare(
  client: Client,
  token: string,
  paths: readonly [string, string],
): Promise<readonly [number, number]> {
  const times: [number[], number[]] = [[], []];
  for (let sample = 0; sample < samples; sample++) {
    for (const at of [0, 1] as const) {
      const startedAt = performance.now();
      await client.expect(200, 'GET', paths[at], { token });
      times[at].push(performance.now() - startedAt);
    }
  }
  return [median(times[0]), median(times[1])];
}

const median = (values: readonly number[]): number =>
  values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;

const server = process.env['DATABASE_URL'] || undefined;
const directory = mkdtempSync(join(tmpdir(), 'bench-pages-'));
const database = server === undefined ? undefined : await createDatabase(server, 'pages');
const undo: (() => Promise<void>)[] = [
  async () => rmSync(directory, { recursive: true, force: true }),
  async () => database?.drop(),
];
try {
  const files = await developmentCertificates({ dataDirectory: directory });
  const environment = {
    API_DOCS: 'false',
    DATA_DIRECTORY: directory,
    RATE_LIMIT_SCALE: '100000',
    TLS_CERTIFICATE_FILE: files.certificateFile,
    TLS_KEY_FILE: files.keyFile,
    ...(database !== undefined && { DATABASE_URL: database.url }),
  };
  const { client, stop } = await startProcess({
    name: 'ours',
    environment,
    directory,
    ca: readFileSync(files.caFile, 'utf8'),
    profile: undefined,
  });
  undo.push(stop);
  const user = await ServiceUser.signUp(client, directory, { email: 'pages@example.org', resources: 0 });
  await fill(
    database === undefined
      ? { host: await runningEmbedded(directory), port: 5432, user: 'postgres', database: 'postgres' }
      : { connectionString: database.url },
  );
  process.stdout.write(`${await describeServer(server)}; ${rows} resources, pages of 20, medians of ${samples}\n`);
  for (const scope of scopes) {
    const pages = await pagesOf(client, await user.token(), scope);
    for (const direction of ['forwards', 'backwards'] as const) {
      const [one, many] = await compare(client, await user.token(), pages[direction]);
      const ratio = many / one;
      process.stdout.write(
        `${scope} ${direction}: page 1 ${one.toFixed(2)} ms, page ${deep} ${many.toFixed(2)} ms, ` +
          `ratio ${ratio.toFixed(2)} (goal: at most ${goal})\n`,
      );
    }
  }
} finally {
  for (const step of undo.toReversed()) await step();
}
process.exit(0);
