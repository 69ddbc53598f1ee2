import { randomUUIDv7 } from 'node:crypto';
import { join } from 'node:path';
import type { PoolConfig } from 'pg';
import { KeyRing, protectFields, type FieldFault, type ProtectOptions } from '../../src/index.js';
import { fieldMap, plainClient, type TestClient } from './client.js';
import { openDatabase, type TestDatabase } from './database.js';
import { purposes } from './purposes.js';

export type { TestClient };

/**
 * A database of its own, a key ring of its own, and SQL beside the extension: what the attacker with the database has.
 */
export class Vault {
  readonly faults: FieldFault[] = [];
  /** SQL of all protected clients, in order. */
  readonly statements: string[] = [];
  private readonly clients: TestClient[] = [];

  private constructor(
    private readonly database: TestDatabase,
    readonly keyRing: KeyRing,
  ) {}

  static async open(): Promise<Vault> {
    const database = await openDatabase();
    return new Vault(database, await KeyRing.loadOrCreate(join(database.directory, 'keys.json'), purposes));
  }

  get poolConfig(): PoolConfig {
    return this.database.connection;
  }

  /** A protected client as an instance of a service has it: its own pool, its own caches. */
  connect(options: Partial<ProtectOptions> = {}): TestClient {
    const client = plainClient(this.poolConfig);
    client.$on('query', ({ query }) => this.statements.push(query));
    this.clients.push(client);
    const onFault = (fault: FieldFault) => void this.faults.push(fault);
    return protectFields(client, { fields: fieldMap, keyRing: this.keyRing, onFault, ...options }) as TestClient;
  }

  async sql<R extends object = Record<string, string>>(text: string, values: unknown[] = []): Promise<R[]> {
    return (await this.database.sql.query<R>(text, values)).rows;
  }

  /** Everything that the database holds, as text. */
  async dump(): Promise<string> {
    const tables = await this.sql<{ name: string }>(
      `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'`,
    );
    const rows: string[] = [];
    for (const { name } of tables)
      rows.push(...(await this.sql(`SELECT to_jsonb(t)::text AS row FROM "${name}" t`)).map(({ row }) => row ?? ''));
    return rows.toSorted().join('\n');
  }

  /** Closes the connections of all clients; they connect again when they are used. The embedded database has eight. */
  async release(): Promise<void> {
    await Promise.all(this.clients.map((client) => client.$disconnect()));
  }

  async close(): Promise<void> {
    await this.release();
    await this.database.close();
  }
}

/** A person whose three secrets can be told from everybody else's. */
export function person(name: string) {
  const id = randomUUIDv7();
  return { id, email: `${name}-${id}@example.org`, name: `${name} ${id}`, phone: `+41 ${id}` };
}

/** What is in every cell and nowhere else. */
export const sealed = 'enc:v1:';
