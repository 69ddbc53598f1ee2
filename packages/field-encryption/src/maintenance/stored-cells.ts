import { type Args, type Model, Models } from '../extension/models.js';
import { BlindIndex } from '../cells/blind-index.js';
import { dataKeyIdOf, isCell, sealCell } from '../cells/cell.js';
import { type DataKey, DataKeyCache, type KeyOwner, ownerName } from '../keys/data-key.js';
import { DataKeys, type KeyOrFault, type KeyScope } from '../keys/data-keys.js';
import { FieldEncryptionError } from '../field-encryption.error.js';
import type { EncryptedField, FieldMap } from '../field-map.js';
import type { KeyRing } from '../keys/key-ring.js';
import type { KeyWrapper } from '../keys/key-wrapper.js';
import { type Opened, openStored, type StoredValue } from '../extension/opening.js';
import type { DatedKeyRow, StoredClient } from './stored-client.js';

/** An encrypted column of one row as it is stored: a cell, or whatever is there instead. */
export interface StoredCell extends StoredValue {
  readonly rowId: string;
  /** undefined: this is no cell. */
  readonly keyId: string | undefined;
}

export interface StoreOptions {
  readonly client: StoredClient;
  readonly fields: FieldMap;
  readonly keyRing: KeyRing;
  /** The first wraps, all unwrap. */
  readonly wrappers: readonly KeyWrapper[];
}

/** Opens and seals stored cells for maintenance, many at once. Whatever is wrong is told, and nothing is thrown. */
export class StoredCells {
  readonly models: readonly Model[];
  readonly client: StoredClient;
  readonly blindIndex: BlindIndex;
  private readonly scope: KeyScope;
  private readonly keys: DataKeys;

  constructor(readonly options: StoreOptions) {
    const models = new Models(options.fields);
    this.models = Object.keys(options.fields)
      .map((name) => models.get(name))
      .filter(({ encrypted }) => encrypted.size > 0);
    this.client = options.client;
    this.blindIndex = new BlindIndex(options.keyRing);
    // No older keys than an instance of the service has: what holds for instances holds for this command.
    this.scope = { table: options.client.dataKey, caches: [new DataKeyCache({ maxKeys: 2_000, maxAgeSeconds: 60 })] };
    this.keys = new DataKeys(options.wrappers, () => undefined);
  }

  /** The rows of the data keys that the cells name, by id, as the table has them now. */
  async keyRows(cells: readonly StoredCell[]): Promise<ReadonlyMap<string, Pick<DatedKeyRow, 'state' | 'createdAt'>>> {
    const select = { id: true, state: true, createdAt: true };
    const rows = await this.client.dataKey.findMany({ where: { id: { in: namedKeys(cells) } }, select });
    return new Map(rows.map((row) => [row.id, row]));
  }

  /** @param withIndex false: the stored index is not compared. */
  async open(cells: readonly StoredCell[], withIndex = true): Promise<ReadonlyMap<StoredCell, Opened>> {
    const ids = namedKeys(cells);
    const found = new Map<string, KeyOrFault | undefined>(ids.map((id) => [id, this.keys.cached(this.scope, id)]));
    const missing = ids.filter((id) => found.get(id) === undefined);
    if (missing.length > 0) for (const [id, key] of await this.keys.load(this.scope, missing)) found.set(id, key);
    const openOne = (cell: StoredCell): Opened => {
      if (cell.keyId === undefined) return { fault: isEmpty(cell) ? 'index-mismatch' : 'not-a-cell' };
      const row = withIndex ? cell.row : { ...cell.row, [cell.field.index?.column ?? '']: undefined };
      return openStored({ ...cell, row }, found.get(cell.keyId) ?? 'unknown-key', this.blindIndex);
    };
    return new Map(cells.map((cell) => [cell, openOne(cell)]));
  }

  /** The active key of each cell's owner; nothing for an owner who was erased. */
  async activeKeys(cells: readonly StoredCell[]): Promise<ReadonlyMap<string, DataKey>> {
    const owners = new Map(cells.map(ownerOf).map((owner) => [ownerName(owner), owner]));
    try {
      return await this.keys.forSealing(this.scope, owners);
    } catch (error) {
      if (!(error instanceof FieldEncryptionError)) throw error;
    }
    const keys = new Map<string, DataKey>();
    for (const entry of owners) {
      const found = await this.keys.forSealing(this.scope, new Map([entry])).catch((error: unknown) => {
        if (error instanceof FieldEncryptionError) return new Map<string, DataKey>();
        throw error;
      });
      for (const [name, key] of found) keys.set(name, key);
    }
    return keys;
  }

  /** The columns that hold the text sealed: the cell, and its index. */
  seal({ field, rowId }: StoredCell, key: DataKey, text: string): Args {
    return { [field.name]: sealCell(key.fieldKey(field.frozenName), rowId, text), ...this.index(field, text) };
  }

  /** The index column under the active key. */
  index({ index, frozenName }: EncryptedField, text: string): Args {
    return index === undefined ? {} : { [index.column]: this.blindIndex.of(frozenName, text) };
  }
}

/**
 * Every value of the encrypted columns of a row; an index without its value too, which nobody can have written by the
 * API.
 */
export function cellsOf(model: Model, row: Args): StoredCell[] {
  return [...model.encrypted.values()].flatMap((field) => {
    const [stored, index] = [row[field.name], field.index && row[field.index.column]];
    if (stored === null && (index ?? null) === null) return [];
    const cell = typeof stored === 'string' ? stored : '';
    return [
      {
        model,
        field,
        row,
        cell,
        rowId: String(row[model.id ?? '']),
        keyId: isCell(cell) ? dataKeyIdOf(cell) : undefined,
      },
    ];
  });
}

/** No value, but an index. */
export const isEmpty = ({ row, field }: StoredCell): boolean => row[field.name] === null;

export const ownerOf = ({ row, field: { purpose, subject } }: StoredCell): KeyOwner => ({
  purpose,
  subject: 'constant' in subject ? subject.constant : String(row[subject.field]),
});

const namedKeys = (cells: readonly StoredCell[]): string[] => [...new Set(cells.flatMap(({ keyId }) => keyId ?? []))];
