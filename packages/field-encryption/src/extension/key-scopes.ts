import { AsyncLocalStorage } from 'node:async_hooks';
import { DataKeyCache } from '../keys/data-key.js';
import type { DataKeyTable, KeyScope } from '../keys/data-keys.js';
import { throwMisuse } from '../field-encryption.error.js';

/** The parts of a Prisma client that are used here; the client of a transaction has them too. */
export interface Client {
  readonly dataKey: DataKeyTable;
  readonly [delegate: string]: unknown;
}

/** The connection of one operation, and the keys that may be used on it. */
export interface Connection extends KeyScope {
  readonly client: Client;
}

/** What Prisma tells an extension about the transaction of a call. */
export interface TransactionInfo {
  readonly kind: 'itx' | 'batch';
  readonly id: unknown;
}

interface Transaction extends Connection {
  /** Prisma's id of the transaction, known from its first operation on. */
  id: unknown;
  readonly own: DataKeyCache;
}

/** Runs the callback of a transaction with the client that Prisma made for it. */
export type Enter = <R>(client: Client, work: () => R) => R;

/**
 * Keeps operations of an interactive transaction on its connection, and its keys inside it until it commits: a key
 * whose insertion is rolled back must never seal anything, and the embedded database has no second connection to look
 * keys up on.
 */
export class KeyScopes {
  private readonly running = new AsyncLocalStorage<Transaction>();
  private readonly root: Connection;

  constructor(
    client: Client,
    private readonly committed: DataKeyCache,
  ) {
    this.root = { client, table: client.dataKey, caches: [committed] };
  }

  /** @throws FieldEncryptionError for a client of a transaction that is used outside of its callback. */
  of(transaction: TransactionInfo | undefined): Connection {
    if (transaction?.kind !== 'itx') return this.root;
    const running = this.running.getStore();
    if (running !== undefined) running.id ??= transaction.id;
    if (running !== undefined && running.id === transaction.id) return running;
    return throwMisuse(
      'foreign-transaction',
      'the client of a transaction was used outside of its callback: await everything inside',
    );
  }

  /** Where a call on this client finds its keys, and makes them. */
  current(client: unknown): Connection {
    const running = this.running.getStore();
    return running !== undefined && running.client === client ? running : this.root;
  }

  /**
   * Runs a transaction that `parent` begins. Its keys go to everybody when it commits; those of a nested one (a
   * savepoint) go to the transaction around it.
   */
  async transaction<T>(parent: unknown, begin: (enter: Enter) => Promise<T>): Promise<T> {
    const running = this.running.getStore();
    const outer = running?.client === parent ? running : undefined;
    const own = new DataKeyCache(this.committed.limits);
    const caches = [own, ...(outer?.caches ?? this.root.caches)];
    const result = await begin((client, work) =>
      this.running.run({ id: outer?.id, client, table: client.dataKey, caches, own }, work),
    );
    own.moveTo(outer?.own ?? this.committed);
    return result;
  }
}
