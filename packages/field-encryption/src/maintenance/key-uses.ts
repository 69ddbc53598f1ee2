import type { FieldPurpose } from '../field-map.js';
import { countWrappedOtherwise, rewrap } from './rewrap.js';
import { tellFaults, type Run } from './run.js';
import type { StoredCells } from './stored-cells.js';
import { delegateOf } from './stored-client.js';
import { sweepUntilDone } from './sweep.js';
import { reindexing } from './tasks.js';

export interface Moved {
  readonly moved: number;
  readonly faults: number;
}

/** What is made with the keys of a purpose, and how it comes under the active one. */
export interface KeyUse {
  /** So long after its successor became active, a key may still be needed by what nobody can count. */
  readonly neededMs: number;
  /** How much needs the key with this id. Left out: nobody can count it. */
  readonly count?: (keyId: string) => Promise<number>;
  /** Makes anew what other keys than the active one made. Left out: it stays good as long as its key is there. */
  readonly move?: () => Promise<Moved>;
  /** How much `move` has to do. Left out: what needs the retired keys. */
  readonly left?: () => Promise<number>;
  /** Not the ring has these keys, but a key service: then there is nothing to add to the ring. */
  readonly isHeldElsewhere?: boolean;
}

/** Transactions, and instances that still have to learn of the change. */
const neededMs = 60 * 60 * 1000;

/**
 * What field encryption makes with keys.
 * @param all wraps data keys anew that are wrapped with the right key already: it may have a new version elsewhere.
 */
export function cellKeyUses(run: Run, all = false): Record<FieldPurpose | 'blind-index', KeyUse> {
  const { store, signal } = run;
  const isHeldElsewhere = store.options.wrappers[0]?.name !== 'local';
  const wrapping = (purpose: FieldPurpose): KeyUse => ({
    neededMs,
    count: (id) => countWrapped(store, purpose, id),
    left: () => countWrappedOtherwise(store, purpose, all),
    move: () => rewrapAll(run, purpose, all),
    isHeldElsewhere,
  });
  return {
    'pii': wrapping('pii'),
    'jwt': wrapping('jwt'),
    'blind-index': {
      neededMs,
      count: (id) => countIndexed(store, id),
      async move() {
        const report = await run.during('indexing anew', (onProgress) =>
          sweepUntilDone(store, reindexing(store), { signal, onProgress }),
        );
        run.print(`${report.changed} index entries made anew, ${report.faultCount} faults`);
        return { moved: report.changed, faults: tellFaults(run, report) };
      },
    },
  };
}

/** How many data keys the ring's key of that id has wrapped. */
export const countWrapped = async ({ client }: StoredCells, purpose: FieldPurpose, keyId: string): Promise<number> =>
  client.dataKey.count({ where: { purpose, wrapper: 'local', wrappingKey: keyId, state: { not: 'destroyed' } } });

/** How many index entries were made with that key. */
export async function countIndexed({ client, models }: StoredCells, keyId: string): Promise<number> {
  const counts = await Promise.all(
    models.flatMap((model) =>
      [...model.indexColumns].map(async (column) =>
        delegateOf(client, model).count({ where: { [column]: { startsWith: `${keyId}.` } } }),
      ),
    ),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

async function rewrapAll({ store, signal, during, print, warn }: Run, purpose: FieldPurpose, all: boolean) {
  const total = await countWrappedOtherwise(store, purpose, all);
  // Of all passes: those after the first do not come by a broken key again whose wrapping key has the right name.
  const broken = new Set<string>();
  let moved = 0;
  await during('wrapping data keys', async (show) => {
    const onProgress = (done: number) => show(moved + done, Math.max(moved + done, total));
    let report;
    do {
      report = await rewrap(store, purpose, { signal, all: all && report === undefined, onProgress });
      moved += report.rewrapped;
      for (const id of report.broken) broken.add(id);
    } while (report.rewrapped + report.raced > 0 && !report.stopped);
  });
  print(`${moved} data keys wrapped anew, ${broken.size} faults`);
  for (const id of [...broken].slice(0, 20)) warn(`DataKey ${id} broken-key`);
  return { moved, faults: broken.size };
}
