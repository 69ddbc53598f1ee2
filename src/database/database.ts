import { AsyncLocalStorage } from 'node:async_hooks';
import { Injectable } from '@nestjs/common';
import { PrismaPg } from '@prisma/adapter-pg';
import {
  DataKeyCache,
  findColumnFaults,
  protectFields,
  sealerOf,
  type FieldFault,
  type KeyRing,
  type ProtectOptions,
  type StoredRow,
} from '@nestjs-secure-template/field-encryption';
import pg from 'pg';
import type { Recording } from '../common/events/security-events.js';
import { isShowingUnreadable, unreadableText } from '../common/unreadable.js';
import type { Config } from '../config/index.js';
import { fieldMap } from '../generated/field-encryption/index.js';
import { PrismaClient } from '../generated/prisma/client.js';
import { openKeyWrappers } from '../security/data-protection/index.js';
import { connectionOptions, withClient } from './connection.js';
import { directReads } from './direct-reads.js';
import { runningEmbedded, startEmbedded, type EmbeddedDatabase } from './embedded.js';
import { insertRows, type Insertion } from './insertion.js';
import { migrate } from './migrations.js';
import { createPool } from './pool.js';
import { statementNames } from './prepared.js';
import { prepareServer } from './server.js';
import { assertSession } from './session.js';

type Keys = Pick<ProtectOptions, 'keyRing' | 'wrappers' | 'cache'>;

const connect = (
  connections: pg.Pool,
  keys: Keys,
  { onFault, prepares }: { onFault: (fault: FieldFault) => void; prepares: boolean },
) => {
  const statementNameGenerator = prepares ? statementNames() : undefined;
  const adapter = new PrismaPg(connections, { statementNameGenerator });
  const client = new PrismaClient({
    adapter,
    errorFormat: 'minimal',
    transactionOptions: { maxWait: 4_500, timeout: 10_000 },
  });
  // The line that encrypts: without it, personal data would be refused by the CHECK constraints.
  return protectFields(client, {
    fields: fieldMap,
    ...keys,
    read: directReads(connections, fieldMap, statementNameGenerator),
    onFault,
    unreadable: () => (isShowingUnreadable() ? unreadableText : undefined),
  });
};

/** The Prisma client whose encrypted fields read and write as plain values. */
export type ProtectedClient = ReturnType<typeof connect>;
type TransactionClient = Parameters<Parameters<ProtectedClient['$transaction']>[0]>[0];

type AfterCommit = () => Promise<void> | void;

/** The one way to the database: hands out the client of the running transaction, or the pool. */
@Injectable()
export class Database {
  private readonly running = new AsyncLocalStorage<{
    readonly client: TransactionClient;
    readonly afterCommit: AfterCommit[];
  }>();
  private faultListener: (fault: FieldFault) => void = () => undefined;
  private readonly connections: pg.Pool;
  private readonly pool: ProtectedClient;
  private readonly keyCache = new DataKeyCache();

  private constructor(
    config: Config,
    keys: Keys,
    private readonly embedded: EmbeddedDatabase | undefined,
    socketDirectory: string | undefined,
    private readonly server: Awaited<ReturnType<typeof prepareServer>> = { warnings: [], oneSession: false },
  ) {
    const options = connectionOptions(config, socketDirectory);
    // The embedded database is no link, and queues what comes while a long statement runs.
    this.connections = socketDirectory === undefined ? createPool(options) : new pg.Pool(options);
    // A connection that breaks while nobody uses it: whoever needs the database next hears of it.
    this.connections.on('error', () => undefined);
    this.pool = connect(
      this.connections,
      { ...keys, cache: this.keyCache },
      { onFault: (fault) => this.faultListener(fault), prepares: this.server.oneSession },
    );
  }

  /**
   * Starts the embedded database if no DATABASE_URL is set, or joins the one of a running service if `join` allows it,
   * sees to the migrations and connects.
   * @throws Error that says which of these failed.
   */
  static async open(config: Config, keyRing: KeyRing, { join = false } = {}): Promise<Database> {
    const keys = { keyRing, wrappers: await openKeyWrappers(config, keyRing) };
    if (config.databaseUrl !== undefined) {
      return new Database(config, keys, undefined, undefined, await prepareServer(config));
    }
    // Whoever joins a running service finds the migrations applied, and has no session of its own to lock them with.
    const joined = join ? await runningEmbedded(config.dataDirectory) : undefined;
    return joined === undefined ? Database.openEmbedded(config, keys) : new Database(config, keys, undefined, joined);
  }

  private static async openEmbedded(config: Config, keys: Keys): Promise<Database> {
    const embedded = await startEmbedded(config.dataDirectory);
    try {
      const connection = connectionOptions(config, embedded.socketDirectory);
      await withClient(connection, (client) => assertSession(client, { limits: false }));
      await migrate(connection);
      return new Database(config, keys, embedded, embedded.socketDirectory);
    } catch (error) {
      await embedded.close();
      throw error;
    }
  }

  /** What production would refuse in the role that the service runs as. */
  get warnings(): readonly string[] {
    return this.server.warnings;
  }

  /** Connections that are open, those of them that nobody uses, and who waits for one. */
  get load(): { readonly total: number; readonly idle: number; readonly waiting: number } {
    const { totalCount: total, idleCount: idle, waitingCount: waiting } = this.connections;
    return { total, idle, waiting };
  }

  /** Waits for a connection behind those who wait already, and gives it back. */
  async takeTurn(): Promise<void> {
    (await this.connections.connect()).release();
  }

  /** The client of the running transaction; outside of one, the pool. */
  get client(): TransactionClient {
    return this.running.getStore()?.client ?? this.pool;
  }

  /**
   * Runs the work in one transaction: all of it commits, or nothing. Inside a running transaction it joins that one.
   */
  async transaction<T>(work: () => Promise<T>): Promise<T> {
    if (this.running.getStore() !== undefined) return work();
    const afterCommit: AfterCommit[] = [];
    const done = await this.pool.$transaction((client) => this.running.run({ client, afterCommit }, work));
    await Promise.all(afterCommit.map(async (step) => step()));
    return done;
  }

  /**
   * Runs the work when the running transaction has committed, before `transaction()` returns, and never if it does not
   * commit; outside of one, at once. It must not throw: the change has happened.
   */
  async afterCommit(work: AfterCommit): Promise<void> {
    const running = this.running.getStore();
    if (running === undefined) await work();
    else running.afterCommit.push(work);
  }

  /**
   * Writes rows by one statement: all of them, or none.
   * @param returning what the result has of the first row: name -> column. No column of cells: they would come sealed.
   * @returns undefined when nothing was asked for.
   */
  async insert<T>(
    rows: readonly [Insertion, ...Insertion[]],
    returning: Readonly<Record<string, string>> = {},
  ): Promise<T | undefined> {
    const { client } = this;
    const stored: StoredRow[] = [];
    for (const row of rows) stored.push('model' in row ? await sealerOf(client).$seal(row.model, row.data) : row);
    return insertRows<T>(client, stored as [StoredRow, ...StoredRow[]], returning);
  }

  /**
   * New rows and their security event, by one statement where nobody has to run code in between: all of it commits, or
   * nothing.
   */
  async insertAndRecord<T>(
    rows: readonly [Insertion, ...Insertion[]],
    recording: Recording,
    returning: Readonly<Record<string, string>>,
  ): Promise<T> {
    const records = recording.rows();
    if (records !== undefined)
      return made(await this.insert<T>([...rows, ...(records as readonly Insertion[])], returning));
    return this.transaction(async () => {
      const row = await this.insert<T>(rows, returning);
      await recording.recordInTransaction();
      return made(row);
    });
  }

  /** Drops the unwrapped data keys of a subject who was erased, which otherwise would live here for up to a minute. */
  forgetDataKeys(subject: string): void {
    this.keyCache.forget(subject);
  }

  /** Who hears of cells that could not be opened. */
  onFieldFault(listener: (fault: FieldFault) => void): void {
    this.faultListener = listener;
  }

  /** Who hears that the embedded database ended by itself. */
  onFailure(listener: (error: Error) => void): void {
    if (this.embedded !== undefined) this.embedded.onFailure = listener;
  }

  /**
   * Asked by the boot, not by the commands of operators, who need them most when the tables are not as they should be.
   * @throws Error
   */
  async assertSealedColumns(): Promise<void> {
    const faults = await findColumnFaults(this.pool, fieldMap);
    if (faults.length === 0) return;
    throw new Error(
      'the database does not hold the encrypted fields of the schema to cells; ' +
        `as owner of the tables:\n  - ${faults.join('\n  - ')}`,
    );
  }

  /**
   * @throws when the database does not answer, takes no writes (after a failover), or its sessions are in another time
   * zone.
   */
  async check(): Promise<void> {
    const [session] = await this.pool.$queryRaw<{ writes: boolean }[]>`
      SELECT current_setting('transaction_read_only') = 'off'
        AND current_setting('TimeZone') IN ('UTC', 'Etc/UTC') AS writes`;
    if (session?.writes !== true)
      throw new Error('the database takes no writes, or its sessions are set to something else');
  }

  async close(): Promise<void> {
    try {
      await this.pool.$disconnect();
    } finally {
      // Not by Prisma, which leaves it open when nothing went through its engine.
      if (!this.connections.ending) await this.connections.end();
      await this.embedded?.close();
    }
  }
}

function made<T>(row: T | undefined): T {
  if (row === undefined) throw new Error('INSERT … RETURNING returned nothing');
  return row;
}
