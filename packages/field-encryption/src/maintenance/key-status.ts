import type { Run } from './run.js';
import { isEmpty, type StoredCells } from './stored-cells.js';
import { pagesOf } from './stored-client.js';
import { sweep, type Task } from './sweep.js';
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
  readonly ring: readonly {
    readonly purpose: string;
    readonly id: string;
    readonly state: string;
    readonly createdAt: string | null;
  }[];
  /** How many data keys, by `purpose state wrapper wrapping-key`. */
  readonly dataKeys: Readonly<Record<string, number>>;
  readonly fields: Readonly<Record<string, FieldCount>>;
}

/** Reads every table once, by pages. Stopped early, the counts are too small. */
export async function readStatus({
  store,
  signal,
  during,
}: Pick<Run, 'store' | 'signal' | 'during'>): Promise<KeyStatus> {
  const { keyRing } = store.options;
  const ring = keyRing.purposes.flatMap((purpose) =>
    keyRing
      .all(purpose)
      .map(({ id, state, createdAt }) => ({ purpose, id, state, createdAt: createdAt?.toISOString() ?? null })),
  );
  const dataKeys = await countDataKeys(store);
  const fields = countersOf(store);
  const count = counting(store, fields);
  await during('counting', (onProgress) => sweep(store, count, { signal, onProgress }));
  return { ring, dataKeys, fields };
}

async function countDataKeys({ client }: StoredCells): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for await (const rows of pagesOf(client.dataKey, { id: 'id' })) {
    for (const { purpose, state, wrapper, wrappingKey } of rows) {
      const name = [purpose, state, wrapper, wrappingKey].join(' ');
      counts[name] = (counts[name] ?? 0) + 1;
    }
  }
  return counts;
}

const countersOf = ({ models }: StoredCells): Record<string, FieldCount> =>
  Object.fromEntries(
    models.flatMap(({ name, encrypted }) =>
      [...encrypted.keys()].map((field) => [`${name}.${field}`, { cells: 0, retiredKey: 0, retiredIndex: 0 }]),
    ),
  );

const counting =
  (store: StoredCells, fields: Record<string, FieldCount>): Task =>
  async (cells) => {
    const keys = await store.keyRows(cells);
    for (const cell of cells) {
      const count = fields[`${cell.model.name}.${cell.field.name}`];
      if (count === undefined || isEmpty(cell)) continue;
      count.cells += 1;
      if (keys.get(cell.keyId ?? '')?.state !== 'active') count.retiredKey += 1;
      if (hasOldIndex(store, cell)) count.retiredIndex += 1;
    }
    return [];
  };

const dayMs = 24 * 60 * 60 * 1000;
const widths = [24, 26, 12, 26];
const row = (...words: readonly string[]): string =>
  `  ${words.map((word, at) => word.padEnd(widths[at] ?? 0)).join(' ')}`.trimEnd();
const age = (createdAt: string | null): string =>
  createdAt === null ? 'age unknown' : `${Math.floor((Date.now() - Date.parse(createdAt)) / dayMs)} days`;

/** @param signing keys that sign, beside those of the ring. */
export function statusTable({ ring, dataKeys, fields }: KeyStatus, signing: KeyStatus['ring'] = []): string {
  const keyRow = ({ purpose, id, state, createdAt }: KeyStatus['ring'][number]) =>
    row(purpose, id, state, createdAt ?? '', age(createdAt));
  return [
    'key ring',
    ...ring.map(keyRow),
    ...(signing.length > 0 ? ['signing keys', ...signing.map(keyRow)] : []),
    'data keys',
    ...Object.entries(dataKeys).map(([name, count]) => row(...name.split(' '), String(count))),
    row('cells', 'all', 'retired key', 'retired index key').trimStart(),
    ...Object.entries(fields).map(([name, { cells, retiredKey, retiredIndex }]) =>
      row(name, String(cells), String(retiredKey), String(retiredIndex)),
    ),
  ].join('\n');
}
