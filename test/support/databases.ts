import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type pg from 'pg';
import { withClient } from '../../src/database/index.js';
import { KeptDatabase } from './kept-database.js';
import { profile } from './profile.js';
import { copyDatabase, copyFiles, dropDatabase, run } from './template.js';

export interface TestDatabase {
  /** undefined: the embedded database. */
  readonly url: string | undefined;
  readonly dataDirectory: string;
  drop(): Promise<void>;
}

/** A database that runs, and that nobody else uses until it is dropped. */
export interface RunningDatabase extends TestDatabase {
  readonly connection: pg.ClientConfig;
}

const newDirectory = (): string => mkdtempSync(join(tmpdir(), 'service-test-'));

/** An empty database and a data directory, for what starts the embedded database by itself. */
export async function freshDatabase(): Promise<TestDatabase> {
  return profile().name === 'services' ? runningDatabase() : embeddedDirectory();
}

/** A data directory with an empty embedded database that nobody has started, in both profiles. */
export function embeddedDirectory(): TestDatabase {
  const dataDirectory = newDirectory();
  copyFiles(dataDirectory);
  return { url: undefined, dataDirectory, drop: async () => rmSync(dataDirectory, { recursive: true, force: true }) };
}

/**
 * An empty database that runs, and a data directory whose services join it.
 * @param tables SQL that makes other tables than those of the service.
 */
export async function runningDatabase(tables = ''): Promise<RunningDatabase> {
  const chosen = profile();
  const dataDirectory = newDirectory();
  if (chosen.name === 'embedded') {
    const kept = await KeptDatabase.take(tables);
    const takeBack = await kept.lend(dataDirectory);
    return {
      url: undefined,
      dataDirectory,
      connection: kept.connection,
      async drop() {
        takeBack();
        rmSync(dataDirectory, { recursive: true, force: true });
        await kept.giveBack();
      },
    };
  }
  const name = `test_${run}_${randomBytes(6).toString('hex')}`;
  const url = await copyDatabase(chosen.databaseUrl, name);
  if (tables !== '') await withClient({ connectionString: url }, (client) => client.query(tables));
  return {
    url,
    dataDirectory,
    connection: { connectionString: url },
    async drop() {
      await dropDatabase(chosen.databaseUrl, name);
      rmSync(dataDirectory, { recursive: true, force: true });
    },
  };
}
