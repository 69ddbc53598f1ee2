import { ownerName } from '../keys/data-key.js';
import { isEmpty, ownerOf, type StoredCell, type StoredCells } from './stored-cells.js';
import type { DatedKeyRow } from './stored-client.js';
import type { Finding, Task } from './sweep.js';

/** Opens every cell and compares its index; changes nothing. */
export const verifying =
  (store: StoredCells): Task =>
  async (cells) => {
    const opened = await store.open(cells);
    return cells.map((cell) => faultOf(opened.get(cell)));
  };

/** Counts the cells of some data keys, as if they were changed. Only for a dry run. */
export const counting =
  (store: StoredCells, counts: (key: Pick<DatedKeyRow, 'state' | 'createdAt'>) => boolean): Task =>
  async (cells) => {
    const keys = await store.keyRows(cells);
    return cells.map(({ keyId }) => {
      const key = keys.get(keyId ?? '');
      return key !== undefined && counts(key) ? { change: {} } : undefined;
    });
  };

/** True for an index that was not made with the active key. */
export const hasOldIndex = (store: StoredCells, { row, field: { index } }: StoredCell): boolean =>
  index !== undefined && !String(row[index.column]).startsWith(`${store.options.keyRing.active('blind-index').id}.`);

/**
 * Computes the index anew where it was made with another key than the active one; one that is not the cell's is a
 * fault, and stays.
 */
export const reindexing =
  (store: StoredCells): Task =>
  async (cells) => {
    const opened = await store.open(cells.filter((cell) => hasOldIndex(store, cell)));
    return cells.map((cell) => withText(opened.get(cell), (text) => ({ change: store.index(cell.field, text) })));
  };

/**
 * Seals anew what a retired data key sealed.
 * @param spare hears of the keys of cells that do not open: such a key must not be destroyed.
 */
export const resealing =
  (store: StoredCells, spare: (keyId: string) => void): Task =>
  async (cells) => {
    const keyRows = await store.keyRows(cells);
    const stateOf = ({ keyId }: StoredCell) => keyRows.get(keyId ?? '')?.state;
    // What names no usable key is opened as well, to tell what is wrong with it.
    const opened = await store.open(cells.filter((cell) => stateOf(cell) !== 'active'));
    const keys = await store.activeKeys(cells.filter((cell) => stateOf(cell) === 'retired'));
    return cells.map((cell) => {
      const found = opened.get(cell);
      if (faultOf(found) !== undefined && cell.keyId !== undefined) spare(cell.keyId);
      const key = keys.get(ownerName(ownerOf(cell)));
      return withText(found, (text) =>
        key === undefined || key.id === cell.keyId ? undefined : { change: store.seal(cell, key, text) },
      );
    });
  };

const isPlain = (cell: StoredCell): boolean => cell.keyId === undefined && !isEmpty(cell);

const lacksIndex = ({ keyId, row, field: { index } }: StoredCell): boolean =>
  keyId !== undefined && index !== undefined && row[index.column] === null;

/** Seals plaintext, and gives cells the index that they lack. */
export const adopting =
  (store: StoredCells, dryRun: boolean): Task =>
  async (cells) => {
    // A dry run makes no data keys either.
    const keys = dryRun ? undefined : await store.activeKeys(cells.filter(isPlain));
    const opened = await store.open(cells.filter(lacksIndex), false);
    return cells.map((cell) => {
      if (!isPlain(cell)) return withText(opened.get(cell), (text) => ({ change: store.index(cell.field, text) }));
      if (dryRun) return { change: {} };
      const key = keys?.get(ownerName(ownerOf(cell)));
      return key === undefined ? { fault: 'destroyed-key' } : { change: store.seal(cell, key, cell.cell) };
    });
  };

type Opened = ReturnType<Awaited<ReturnType<StoredCells['open']>>['get']>;

const faultOf = (opened: Opened): Finding => (opened !== undefined && 'fault' in opened ? opened : undefined);

const withText = (opened: Opened, use: (text: string) => Finding): Finding =>
  opened !== undefined && 'text' in opened ? use(opened.text) : faultOf(opened);
