import { join } from 'node:path';
import { randomUUIDv7 } from 'node:crypto';
import { PrismaPg } from '@prisma/adapter-pg';
import { Client, type PoolConfig } from 'pg';
import { startEmbedded } from '../../../src/database/embedded.js';
import { fieldMap } from '../../../src/generated/field-encryption/index.js';
import { PrismaClient } from '../../../src/generated/prisma/client.js';
import { KeyRing, protectFields, type FieldFault, type ProtectOptions } from '../../../src/security/data-protection/index.js';
import { freshDatabase } from '../../support/databases.js';

export type TestClient = ReturnType<Vault['connect']>;

/** A database of its own, a key ring of its own, and SQL beside the extension: what the attacker with the database has. */
export class Vault {
  readonly faults: FieldFault[] = [];
  /** SQL of all protected clients, in order. */
  readonly statements: string[] = [];
  private readonly clients: { $disconnect(): Promise<void> }[] = [];

  private constructor(
    readonly keyRingFile: string,
    readonly keyRing: KeyRing,
    private readonly attacker: Client,
    readonly poolConfig: PoolConfig,
    private readonly stop: () => Promise<void>,
  ) {}

  static async open(): Promise<Vault> {
    const database = await freshDatabase();
    const embedded = database.url === undefined ? await startEmbedded(database.dataDirectory) : undefined;
    const connection: PoolConfig =
      embedded === undefined
        ? { connectionString: database.url, max: 5 }
        : { host: embedded.socketDirectory, port: 5432, user: 'postgres', database: 'postgres', max: 1 };
    const attacker = new Client(connection);
    await attacker.connect();
    const keyRingFile = join(database.dataDirectory, 'keys.json');
    return new Vault(keyRingFile, await KeyRing.loadOrCreate(keyRingFile), attacker, connection, async () => {
      await embedded?.close();
      await database.drop();
    });
  }

  /** A protected client as an instance of the service has it: its own pool, its own caches. */
  connect(options: Partial<ProtectOptions> = {}) {
    const client = new PrismaClient({
      adapter: new PrismaPg(this.poolConfig),
      transactionOptions: { timeout: 10_000 },
      log: [{ emit: 'event', level: 'query' }],
    });
    client.$on('query', ({ query }) => this.statements.push(query));
    this.clients.push(client);
    const onFault = (fault: FieldFault) => void this.faults.push(fault);
    return protectFields(client, { fields: fieldMap, keyRing: this.keyRing, onFault, ...options });
  }

  async sql<R extends object = Record<string, string>>(text: string, values: unknown[] = []): Promise<R[]> {
    return (await this.attacker.query<R>(text, values)).rows;
  }

  /** Everything that the database holds, as text. */
  async dump(): Promise<string> {
    const tables = await this.sql<{ name: string }>(`SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'`);
    const rows: string[] = [];
    for (const { name } of tables) rows.push(...(await this.sql(`SELECT to_jsonb(t)::text AS row FROM "${name}" t`)).map(({ row }) => row ?? ''));
    return rows.toSorted().join('\n');
  }

  /** Closes the connections of all clients; they connect again when they are used. The embedded database has eight. */
  async release(): Promise<void> {
    await Promise.all(this.clients.map((client) => client.$disconnect()));
  }

  async close(): Promise<void> {
    await this.release();
    await this.attacker.end();
    await this.stop();
  }
}

/** A person whose three secrets can be told from everybody else's. */
export function person(name: string) {
  const id = randomUUIDv7();
  return { id, email: `${name}-${id}@example.org`, name: `${name} ${id}`, phone: `+41 ${id}` };
}

/** What is in every cell and nowhere else. */
export const sealed = 'enc:v1:';
