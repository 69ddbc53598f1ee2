import type { Purpose } from '../purposes.js';
import type { StoredCells } from './stored-cells.js';
import { delegateOf } from './stored-client.js';

/** How many data keys or index entries need this key of the ring; undefined for purposes whose values are not ours to count. */
export async function keyUses({ client, models }: StoredCells, purpose: Purpose, id: string): Promise<number | undefined> {
  if (purpose === 'pii' || purpose === 'jwt') {
    return client.dataKey.count({ where: { purpose, wrapper: 'local', wrappingKey: id, state: { not: 'destroyed' } } });
  }
  if (purpose !== 'blind-index') return undefined;
  const indexes = models.flatMap((model) => [...model.indexColumns].map((column) => ({ model, column })));
  const counts = await Promise.all(indexes.map(({ model, column }) => delegateOf(client, model).count({ where: { [column]: { startsWith: `${id}.` } } })));
  return counts.reduce((sum, count) => sum + count, 0);
}
