import { randomBytes } from 'node:crypto';
import type { KeyWrapper } from '../keys/key-wrapper.js';
import { dataKeyBytes } from '../keys/data-key.js';
import type { FieldPurpose } from '../field-map.js';
import type { StoredCells } from './stored-cells.js';
import { pagesOf, type DatedKeyRow } from './stored-client.js';

export interface RewrapReport {
  rewrapped: number;
  /** Keys that another process changed first: destroyed, or wrapped anew. */
  raced: number;
  /** Ids of keys that their wrapper does not open. */
  readonly broken: string[];
  stopped: boolean;
}

/** Data keys that are not wrapped as new ones are now. */
async function outdated({ options: { wrappers } }: StoredCells, purpose: FieldPurpose, all: boolean) {
  const [wrapper] = wrappers as [KeyWrapper];
  // Only the wrapper knows the name of the key that it wraps with now: asked with a secret that is thrown away.
  const probe = await wrapper.wrap(randomBytes(dataKeyBytes), { dataKeyId: 'probe', purpose, subject: 'probe' });
  const wrappedNow = { wrapper: wrapper.name, wrappingKey: probe.wrappingKey };
  return { purpose, state: { not: 'destroyed' }, ...(!all && { NOT: wrappedNow }) };
}

export const countWrappedOtherwise = async (store: StoredCells, purpose: FieldPurpose, all = false): Promise<number> =>
  store.client.dataKey.count({ where: await outdated(store, purpose, all) });

interface Rewrapping {
  readonly signal: AbortSignal;
  /** Also keys whose wrapping key has the right name: it may have a new version in its key service. */
  readonly all?: boolean;
  readonly onProgress?: (done: number) => void;
}

/** Wraps every data key of the purpose as new ones are wrapped now: by the first wrapper, under its present key. */
export async function rewrap(
  store: StoredCells,
  purpose: FieldPurpose,
  { signal, all = false, onProgress }: Rewrapping,
): Promise<RewrapReport> {
  const report: RewrapReport = { rewrapped: 0, raced: 0, broken: [], stopped: false };
  const where = await outdated(store, purpose, all);
  for await (const rows of pagesOf(store.client.dataKey, { id: 'id', where, take: 16 })) {
    const results = await Promise.all(rows.map((row) => rewrapOne(store, row)));
    results.forEach((result, at) => {
      if (result === undefined) report.broken.push(rows[at]?.id ?? '');
      else report[result === 1 ? 'rewrapped' : 'raced'] += 1;
    });
    onProgress?.(report.rewrapped + report.raced + report.broken.length);
    report.stopped = signal.aborted;
    if (report.stopped) break;
  }
  return report;
}

async function rewrapOne(
  { client, options: { wrappers } }: StoredCells,
  row: DatedKeyRow,
): Promise<number | undefined> {
  const { id, purpose, subject, wrapped, wrappingKey } = row;
  if (wrapped === null) return 0;
  const context = { dataKeyId: id, purpose, subject };
  const secret = await wrappers.find(({ name }) => name === row.wrapper)?.unwrap({ wrappingKey, wrapped }, context);
  if (secret === undefined) return undefined;
  const [wrapper] = wrappers as [KeyWrapper];
  const anew = await wrapper.wrap(secret, context);
  secret.fill(0);
  // Compared with what was read: an erased person's key must not come back.
  return (
    await client.dataKey.updateMany({ where: { id, wrapped, wrappingKey }, data: { wrapper: wrapper.name, ...anew } })
  ).count;
}
