import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { releaseLock, takeLock } from '../../src/common/file-lock.js';
import { startEmbedded, type EmbeddedDatabase } from '../../src/database/embedded.js';
import { copyFiles } from './template.js';

/**
 * An embedded database that goes from test file to test file of a process, emptied in between: to copy and to start one
 * takes longer than most files.
 */
export class KeptDatabase {
  private static readonly free: KeptDatabase[] = [];

  private constructor(
    private readonly tables: string,
    private readonly directory: string,
    private readonly embedded: EmbeddedDatabase,
    private readonly made: string,
  ) {}

  /** @param tables SQL that makes other tables than those of the service. */
  static async take(tables: string): Promise<KeptDatabase> {
    const kept = KeptDatabase.free.findIndex((one) => one.tables === tables);
    if (kept !== -1) return KeptDatabase.free.splice(kept, 1)[0] as KeptDatabase;
    const directory = mkdtempSync(join(tmpdir(), 'service-test-'));
    copyFiles(directory);
    const embedded = await startEmbedded(directory);
    const remove = (): void => {
      for (const left of [directory, embedded.socketDirectory]) rmSync(left, { recursive: true, force: true });
    };
    process.once('exit', remove);
    const made = await connected(embedded, async (client) => {
      await client.query(tables);
      return fingerprint(client);
    });
    return new KeptDatabase(tables, directory, embedded, made);
  }

  get connection(): pg.ClientConfig {
    return connectionTo(this.embedded);
  }

  /** Lets a service with that data directory find the database, as a command finds that of a running service. */
  async lend(dataDirectory: string): Promise<() => void> {
    const lock = join(dataDirectory, 'database.lock');
    await takeLock(lock, { socketDirectory: this.embedded.socketDirectory });
    return () => releaseLock(lock);
  }

  /** Takes it back. One whose tables, rights or settings were changed, or that has died, is not used again. */
  async giveBack(): Promise<void> {
    if (await this.empty().catch(() => false)) KeptDatabase.free.push(this);
    else await this.end();
  }

  private empty(): Promise<boolean> {
    return connected(this.embedded, async (client) => {
      await client.query('ROLLBACK');
      await client.query('DISCARD ALL');
      if ((await fingerprint(client)) !== this.made) return false;
      await client.query(emptyTables);
      await client.query('DISCARD ALL');
      return true;
    });
  }

  private async end(): Promise<void> {
    await this.embedded.close().catch(() => undefined);
    rmSync(this.directory, { recursive: true, force: true });
  }
}

const connectionTo = ({ socketDirectory }: EmbeddedDatabase): pg.ClientConfig => ({
  host: socketDirectory,
  port: 5432,
  user: 'postgres',
  database: 'postgres',
});

async function connected<T>(embedded: EmbeddedDatabase, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ ...connectionTo(embedded), query_timeout: 10_000 });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Any change of a catalog row writes a new one, with another place and another transaction. */
async function fingerprint(client: pg.Client): Promise<string> {
  const catalogs = `attribute attrdef constraint trigger proc index type rewrite namespace authid auth_members
    db_role_setting default_acl policy extension event_trigger`.split(/\s+/);
  const rows = catalogs.map(
    (name) => `SELECT '${name}' AS catalog, ctid::text AS place, xmin::text AS written FROM pg_${name}`,
  );
  const classes = `SELECT relname::text, relkind::text, concat(relacl, reloptions, relrowsecurity, relpersistence)
    FROM pg_class`;
  const settings = `SELECT name, setting, source FROM pg_settings WHERE source NOT IN ('default', 'client', 'session')`;
  const found = [...rows, classes, settings].join(' UNION ALL ');
  const { rows: said } = await client.query<{ fingerprint: string }>(
    `SELECT md5(string_agg(concat_ws(' ', catalog, place, written), ',')) AS fingerprint
       FROM (SELECT * FROM (${found}) AS every ORDER BY catalog, place, written) AS sorted`,
  );
  return said[0]?.fingerprint ?? '';
}

/** As the superuser that it is, past the triggers of the audit trail. */
const emptyTables = `
  SET session_replication_role = replica;
  DO $$
  DECLARE
    one regclass;
    filled boolean;
  BEGIN
    FOR one IN SELECT oid FROM pg_class
      WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> '_prisma_migrations'
    LOOP
      EXECUTE format('SELECT EXISTS (SELECT FROM %s)', one) INTO filled;
      IF filled THEN EXECUTE format('DELETE FROM %s', one); END IF;
    END LOOP;
    FOR one IN SELECT oid FROM pg_class WHERE relkind = 'S' LOOP
      PERFORM setval(one, 1, false);
    END LOOP;
  END $$;`;
