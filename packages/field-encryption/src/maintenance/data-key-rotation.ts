import { cellFormat } from '../cells/cell.js';
import { ownerName, type KeyOwner } from '../keys/data-key.js';
import { makeDataKey } from '../keys/data-keys.js';
import type { EncryptedField } from '../field-map.js';
import type { KeyWrapper } from '../keys/key-wrapper.js';
import type { Model } from '../extension/models.js';
import type { StoredCells } from './stored-cells.js';
import { delegateOf, pagesOf, type DatedKeyRow, type StoredClient } from './stored-client.js';

/**
 * After this time no running instance seals with a key that was retired: unwrapped before (6 s for a key service),
 * cached for 60 s at most, used in a transaction of 10 s at most, and a margin.
 */
export const forgottenMs = 90_000;
const keysAtOnce = 100;
const advisoryLock = 7_202_612;

/** Subjects whose active key is older than `before`, and which no earlier run has left unfinished. */
async function* outdatedKeys({ client }: StoredCells, before: Date): AsyncGenerator<DatedKeyRow[]> {
  const where = { state: 'active', createdAt: { lt: before } };
  for await (const rows of pagesOf(client.dataKey, { id: 'id', where, take: keysAtOnce })) {
    const retired = await client.dataKey.findMany({ where: { state: 'retired', OR: owners(rows) } });
    const unfinished = new Set(retired.map(ownerName));
    yield rows.filter((row) => !unfinished.has(ownerName(row)));
  }
}

/** @returns how many subjects have a key that `rekey` would replace. */
export async function countOutdated(store: StoredCells, before: Date): Promise<number> {
  let count = 0;
  for await (const rows of outdatedKeys(store, before)) count += rows.length;
  return count;
}

interface Rekeying {
  readonly before: Date;
  readonly signal: AbortSignal;
  readonly onProgress: (done: number) => void;
}

/** Gives each subject a new active key; the old one is retired, and opens until nothing names it. @returns how many. */
export async function rekey(store: StoredCells, { before, signal, onProgress }: Rekeying): Promise<number> {
  const [wrapper] = store.options.wrappers as [KeyWrapper];
  let count = 0;
  for await (const rows of outdatedKeys(store, before)) {
    const keys = await Promise.all(
      rows.map(async (row) => ({ replaces: row.id, made: await makeDataKey(wrapper, row) })),
    );
    count += await store.client.$transaction(async (client) => {
      // A second copy of this command waits here, and then finds nothing left to retire.
      await client.$executeRaw`SELECT pg_advisory_xact_lock(${advisoryLock}::bigint)`;
      const where = { id: { in: rows.map(({ id }) => id) }, state: 'active' };
      const retired = new Set(
        (await client.dataKey.updateManyAndReturn({ where, data: { state: 'retired' } })).map(({ id }) => id),
      );
      const data = keys.flatMap(({ replaces, made }) =>
        retired.has(replaces) ? [{ ...made.row, createdAt: new Date() }] : [],
      );
      await client.dataKey.createMany({ data, skipDuplicates: false });
      return data.length;
    });
    onProgress(count);
    if (signal.aborted) break;
  }
  return count;
}

/** When the newest active key was made whose owner has a retired one too; undefined when nothing is retired. */
export async function lastRekeyed({ client }: StoredCells): Promise<Date | undefined> {
  let newest: Date | undefined;
  for await (const retired of pagesOf(client.dataKey, { id: 'id', where: { state: 'retired' }, take: keysAtOnce })) {
    const active = await client.dataKey.findMany({ where: { state: 'active', OR: owners(retired) } });
    for (const { createdAt } of active) if (newest === undefined || createdAt > newest) newest = createdAt;
    newest ??= new Date(0);
  }
  return newest;
}

/**
 * Somebody who was erased while their key was being replaced has lost all keys but the new one: it goes too.
 * @param since when the replacing began.
 */
export async function finishErasures({ client }: StoredCells, since: Date): Promise<void> {
  for await (const rows of pagesOf(client.dataKey, {
    id: 'id',
    where: { state: 'destroyed', destroyedAt: { gte: since } },
    take: keysAtOnce,
  })) {
    const where = { state: { not: 'destroyed' }, createdAt: { gte: since }, OR: owners(rows) };
    await client.dataKey.updateMany({ where, data: { state: 'destroyed', wrapped: null, destroyedAt: new Date() } });
  }
}

/**
 * Destroys retired keys: the rows go, for `destroyed` stays the sign of an erased person. A key stays while a cell
 * names it, or an instance may still hold it.
 * @returns how many went.
 */
export async function destroyRetired(
  store: StoredCells,
  spared: ReadonlySet<string>,
  settledBefore: Date,
): Promise<number> {
  let count = 0;
  for await (const retired of pagesOf(store.client.dataKey, {
    id: 'id',
    where: { state: 'retired' },
    take: keysAtOnce,
  })) {
    const settled = await store.client.dataKey.findMany({
      where: { state: 'active', createdAt: { lte: settledBefore }, OR: owners(retired) },
    });
    const names = new Set(settled.map(ownerName));
    const unused = retired.filter((row) => names.has(ownerName(row)) && !spared.has(row.id));
    count += await store.client.$transaction(async (client) => {
      const used = await Promise.all(store.models.map((model) => keysInUse(client, model, unused)));
      const gone = unused.map(({ id }) => id).filter((id) => !used.some((ids) => ids.has(id)));
      return (await client.dataKey.deleteMany({ where: { id: { in: gone }, state: 'retired' } })).count;
    });
  }
  return count;
}

/** Which of the keys a cell of their owner's rows still names. */
async function keysInUse(client: StoredClient, model: Model, keys: readonly DatedKeyRow[]): Promise<Set<string>> {
  const named = keys.flatMap(({ id, purpose, subject }) =>
    [...model.encrypted.values()].flatMap((field) => {
      if (field.purpose !== purpose || !canBelongTo(model, field, subject)) return [];
      const owner = 'field' in field.subject ? { [field.subject.field]: subject } : {};
      return [{ id, where: { ...owner, [field.name]: { startsWith: `${cellFormat}:${id}:` } } }];
    }),
  );
  if (
    named.length === 0 ||
    (await delegateOf(client, model).count({ where: { OR: named.map(({ where }) => where) } })) === 0
  )
    return new Set();
  // Rare: somebody still writes with a retired key. The whole hundred waits for the next run.
  return new Set(keys.map(({ id }) => id));
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** A constant subject is no uuid: PostgreSQL refuses to compare the two, and the whole run would end there. */
function canBelongTo(model: Model, { subject: declared }: EncryptedField, subject: string): boolean {
  if ('constant' in declared) return declared.constant === subject;
  return uuid.test(subject) || !model.uuids.has(declared.field);
}

const owners = (keys: readonly KeyOwner[]) => keys.map(({ purpose, subject }) => ({ purpose, subject }));
