import { randomBytes, randomUUIDv7 } from 'node:crypto';
import { DataKey, dataKeyBytes, type DataKeyCache, type KeyOwner, ownerName } from './data-key.js';
import { type FaultCode, FieldEncryptionError, type FieldFault, throwMisuse } from '../field-encryption.error.js';
import type { KeyWrapper } from './key-wrapper.js';

/** A row of the table of data keys. */
export interface DataKeyRow extends KeyOwner {
  readonly id: string;
  readonly wrapper: string;
  readonly wrappingKey: string;
  /** null once the key is destroyed: nothing that it sealed can be read again. */
  readonly wrapped: string | null;
  readonly state: string;
}

/** The part of Prisma's delegate for the model DataKey that is used here. */
export interface DataKeyTable {
  findMany(args: { where: object }): PromiseLike<DataKeyRow[]>;
  createMany(args: { data: DataKeyRow[]; skipDuplicates: boolean }): PromiseLike<{ count: number }>;
}

/** Where keys are looked up for one operation: its own connection, and the caches that it may use, nearest first. */
export interface KeyScope {
  readonly table: DataKeyTable;
  readonly caches: readonly DataKeyCache[];
}

/** A data key, or why it cannot be used. */
export type KeyOrFault = DataKey | Extract<FaultCode, 'unknown-key' | 'destroyed-key' | 'broken-key'>;

/** Finds, makes and unwraps data keys. One query for all keys that one operation needs. */
export class DataKeys {
  constructor(
    private readonly wrappers: readonly KeyWrapper[],
    private readonly onFault: (fault: FieldFault) => void,
  ) {}

  /** From the caches only. */
  cached(scope: KeyScope, id: string): DataKey | undefined {
    for (const cache of scope.caches) {
      const key = cache.find(id);
      if (key !== undefined) return key;
    }
    return undefined;
  }

  /** The keys with these ids, in one query. */
  async load(scope: KeyScope, ids: readonly string[]): Promise<Map<string, KeyOrFault>> {
    const rows = await scope.table.findMany({ where: { id: { in: ids } } });
    const keys = await Promise.all(rows.map(async (row) => [row.id, await this.unwrap(scope, row)] as const));
    return new Map(keys);
  }

  /**
   * The active key of each owner, by `ownerName()`; made where there is none.
   * @throws FieldEncryptionError for an owner whose key was destroyed: an erased person gets no new key by accident.
   */
  async forSealing(scope: KeyScope, owners: ReadonlyMap<string, KeyOwner>): Promise<Map<string, DataKey>> {
    const keys = new Map<string, DataKey>();
    const collect = (found: readonly (DataKey | undefined)[]) => {
      for (const key of found) if (key !== undefined) keys.set(ownerName(key), key);
      return [...owners].filter(([name]) => !keys.has(name)).map(([, owner]) => owner);
    };
    let missing = collect([...owners.values()].map((owner) => cachedActive(scope, owner)));
    if (missing.length > 0) missing = collect(await this.readActive(scope, missing));
    if (missing.length > 0) missing = collect(await this.make(scope, missing));
    if (missing.length > 0)
      throwMisuse('key-contention', 'another transaction is making the data key of this subject: try again');
    return keys;
  }

  private async readActive(scope: KeyScope, owners: readonly KeyOwner[]): Promise<DataKey[]> {
    const conditions = owners.map(({ purpose, subject }) => ({ purpose, subject }));
    const rows = await scope.table.findMany({ where: { OR: conditions, state: { in: ['active', 'destroyed'] } } });
    const active = rows.filter((row) => row.state === 'active');
    const alive = new Set(active.map(ownerName));
    if (!rows.every((row) => alive.has(ownerName(row)))) {
      throw new FieldEncryptionError(
        'destroyed-key',
        'the data key of this subject was destroyed: nothing more is sealed for it',
      );
    }
    return Promise.all(active.map((row) => this.unwrapOrThrow(scope, row)));
  }

  /** Two instances may do this at once: the unique index of active keys lets one insert win, and both use that key. */
  private async make(scope: KeyScope, owners: readonly KeyOwner[]): Promise<DataKey[]> {
    const [wrapper] = this.wrappers;
    if (wrapper === undefined) throw new Error('field encryption has no key wrapper');
    const made = await Promise.all(owners.map((owner) => makeDataKey(wrapper, owner)));
    // Always in one order: two statements that insert the same subjects in opposite orders would deadlock.
    const data = made.map(({ row }) => row).toSorted((one, other) => (one.subject < other.subject ? -1 : 1));
    const { count } = await scope.table.createMany({ data, skipDuplicates: true });
    if (count < data.length) return this.readActive(scope, owners);
    for (const { key } of made) scope.caches[0]?.add(key, true);
    return made.map(({ key }) => key);
  }

  private async unwrapOrThrow(scope: KeyScope, row: DataKeyRow): Promise<DataKey> {
    const key = await this.unwrap(scope, row);
    if (typeof key === 'object') return key;
    this.onFault({ model: 'DataKey', rowId: row.id, code: key });
    throw new FieldEncryptionError(
      key,
      'the data key of this subject cannot be unwrapped: was the key ring or the table changed?',
    );
  }

  private async unwrap(scope: KeyScope, row: DataKeyRow): Promise<KeyOrFault> {
    const { id, purpose, subject, wrapped, wrappingKey } = row;
    if (wrapped === null || row.state === 'destroyed') return 'destroyed-key';
    const wrapper = this.wrappers.find(({ name }) => name === row.wrapper);
    const secret = await wrapper?.unwrap({ wrappingKey, wrapped }, { dataKeyId: id, purpose, subject });
    if (secret === undefined) return 'broken-key';
    const key = new DataKey(id, { purpose, subject }, secret);
    secret.fill(0);
    scope.caches[0]?.add(key, row.state === 'active');
    return key;
  }
}

/** A new key, and the row that holds it wrapped. */
export async function makeDataKey(
  wrapper: KeyWrapper,
  { purpose, subject }: KeyOwner,
): Promise<{ readonly key: DataKey; readonly row: DataKeyRow }> {
  const [id, secret] = [randomUUIDv7(), randomBytes(dataKeyBytes)];
  const wrapped = await wrapper.wrap(secret, { dataKeyId: id, purpose, subject });
  const key = new DataKey(id, { purpose, subject }, secret);
  secret.fill(0);
  return { key, row: { id, purpose, subject, wrapper: wrapper.name, ...wrapped, state: 'active' } };
}

function cachedActive(scope: KeyScope, owner: KeyOwner): DataKey | undefined {
  for (const cache of scope.caches) {
    const key = cache.findActive(owner);
    if (key !== undefined) return key;
  }
  return undefined;
}
