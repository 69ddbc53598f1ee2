import type { KeyRing } from '../key-ring.js';
import { purposes } from '../purposes.js';
import { isEmpty, type StoredCells } from './stored-cells.js';
import { pagesOf } from './stored-client.js';
import { sweep } from './sweep.js';
import { hasOldIndex } from './tasks.js';

interface FieldCount {
  cells: number;
  /** Sealed by a data key that is not active. */
  retiredKey: number;
  /** Made with another index key than the active one. */
  retiredIndex: number;
}

/** What keys there are, and what still needs the old ones. No secret. */
export interface KeyStatus {
  readonly ring: readonly { readonly purpose: string; readonly id: string; readonly state: string; readonly createdAt: string | null }[];
  /** How many data keys, by `purpose state wrapper wrapping-key`. */
  readonly dataKeys: Readonly<Record<string, number>>;
  readonly fields: Readonly<Record<string, FieldCount>>;
}

/** Reads every table once, by pages. */
export async function readStatus(store: StoredCells, keyRing: KeyRing, onProgress: (done: number, total: number) => void, signal: AbortSignal): Promise<KeyStatus> {
  const ring = purposes.flatMap((purpose) =>
    keyRing.all(purpose).map(({ id, state, createdAt }) => ({ purpose, id, state, createdAt: createdAt?.toISOString() ?? null })),
  );
  const dataKeys: Record<string, number> = {};
  for await (const rows of pagesOf(store.client.dataKey, { id: 'id' })) {
    for (const { purpose, state, wrapper, wrappingKey } of rows) {
      const name = [purpose, state, wrapper, wrappingKey].join(' ');
      dataKeys[name] = (dataKeys[name] ?? 0) + 1;
    }
  }
  const fields: Record<string, FieldCount> = {};
  for (const model of store.models) for (const name of model.encrypted.keys()) fields[`${model.name}.${name}`] = { cells: 0, retiredKey: 0, retiredIndex: 0 };
  await sweep(store, async (cells) => {
    const keys = await store.keyRows(cells);
    for (const cell of cells) {
      const count = fields[`${cell.model.name}.${cell.field.name}`];
      if (count === undefined || isEmpty(cell)) continue;
      count.cells += 1;
      if (keys.get(cell.keyId ?? '')?.state !== 'active') count.retiredKey += 1;
      if (hasOldIndex(store, cell)) count.retiredIndex += 1;
    }
    return [];
  }, { signal, onProgress });
  return { ring, dataKeys, fields };
}
