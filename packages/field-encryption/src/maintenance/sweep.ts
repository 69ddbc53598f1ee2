import type { Args, Model } from '../extension/models.js';
import type { FaultCode } from '../field-encryption.error.js';
import { cellsOf, type StoredCell, type StoredCells } from './stored-cells.js';
import { delegateOf, pagesOf } from './stored-client.js';

/** What is to be done with a cell: write other columns, tell a fault, or nothing. */
export type Finding = { readonly change: Args } | { readonly fault: FaultCode } | undefined;
export type Task = (cells: readonly StoredCell[]) => Promise<readonly Finding[]>;

export interface CellFault {
  readonly model: string;
  readonly field: string;
  readonly rowId: string;
  readonly code: FaultCode | 'duplicate';
}

export interface SweepOptions {
  readonly signal: AbortSignal;
  readonly dryRun?: boolean;
  /** One model only. */
  readonly model?: string;
  /** In columns of rows, null or not. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** What a pass over all encrypted columns found. */
export class SweepReport {
  /** Cells by `Model.field`. */
  readonly cells = new Map<string, number>();
  changed = 0;
  /** Cells that somebody else changed first: theirs is kept. */
  raced = 0;
  faultCount = 0;
  /** The first twenty. */
  readonly faults: CellFault[] = [];
  stopped = false;

  get cellCount(): number {
    return [...this.cells.values()].reduce((sum, count) => sum + count, 0);
  }

  fault({ model, field, rowId }: StoredCell, code: CellFault['code']): void {
    this.faultCount += 1;
    if (this.faults.length < 20) this.faults.push({ model: model.name, field: field.name, rowId, code });
  }
}

type Examined = readonly (readonly [StoredCell, Finding])[];
interface RowChange {
  readonly cells: readonly StoredCell[];
  readonly data: Args;
}

const rowsAtOnce = 8;

/**
 * One pass over every encrypted column, beside a running service. A row is changed only if it is still as it was read,
 * so no live write is lost; a second pass finds what was changed meanwhile. Stops after the rows in hand when the
 * signal comes.
 */
export async function sweep(store: StoredCells, task: Task, options: SweepOptions): Promise<SweepReport> {
  const report = new SweepReport();
  const models = store.models.filter(({ name }) => options.model === undefined || name === options.model);
  const counts = await Promise.all(
    models.map(async (model) => (await delegateOf(store.client, model).count({})) * model.encrypted.size),
  );
  const total = counts.reduce((sum, count) => sum + count, 0);
  let done = 0;
  for (const model of models) {
    for await (const rows of pagesOf(delegateOf(store.client, model), {
      id: model.id ?? 'id',
      select: columns(model),
    })) {
      const changes = gather(report, await examine(store, { model, rows, task }));
      await write(store, { model, changes, report, options });
      done += rows.length * model.encrypted.size;
      options.onProgress?.(done, Math.max(done, total));
      report.stopped ||= options.signal.aborted;
      if (report.stopped) return report;
    }
  }
  return report;
}

/**
 * Passes until one finds nothing to change.
 * @returns the last pass, with the changes of all; `raced` is above 0 when others were faster three times in a row.
 */
export async function sweepUntilDone(store: StoredCells, task: Task, options: SweepOptions): Promise<SweepReport> {
  let changed = 0;
  for (let fruitless = 0; ;) {
    const report = await sweep(store, task, options);
    fruitless = report.changed === 0 ? fruitless + 1 : 0;
    changed += report.changed;
    const done = report.changed + report.raced === 0 || report.stopped || options.dryRun;
    if (done || fruitless === 3) return Object.assign(report, { changed });
  }
}

/** A row that seems wrong is read again: between row and key, a live write may have replaced both. */
async function examine(
  store: StoredCells,
  { model, rows, task }: { model: Model; rows: readonly Args[]; task: Task },
): Promise<Examined> {
  const examined = async (some: readonly Args[]): Promise<Examined> => {
    const cells = some.flatMap((row) => cellsOf(model, row));
    const findings = await task(cells);
    return cells.map((cell, at) => [cell, findings[at]]);
  };
  const first = await examined(rows);
  const wrong = new Set(
    first.flatMap(([cell, finding]) => (finding !== undefined && 'fault' in finding ? [cell.rowId] : [])),
  );
  if (wrong.size === 0) return first;
  const where = { [model.id ?? 'id']: { in: [...wrong] } };
  const again = await examined(await delegateOf(store.client, model).findMany({ where, select: columns(model) }));
  return [...first.filter(([{ rowId }]) => !wrong.has(rowId)), ...again];
}

/** Counts, and puts the changes of one row together. */
function gather(report: SweepReport, examined: Examined): RowChange[] {
  const changes = new Map<string, { cells: StoredCell[]; data: Args }>();
  for (const [cell, finding] of examined) {
    const name = `${cell.model.name}.${cell.field.name}`;
    report.cells.set(name, (report.cells.get(name) ?? 0) + 1);
    if (finding === undefined) continue;
    if ('fault' in finding) {
      report.fault(cell, finding.fault);
      continue;
    }
    const change = changes.get(cell.rowId) ?? { cells: [], data: {} };
    change.cells.push(cell);
    Object.assign(change.data, finding.change);
    changes.set(cell.rowId, change);
  }
  return [...changes.values()];
}

interface Writing {
  readonly model: Model;
  readonly changes: readonly RowChange[];
  readonly report: SweepReport;
  readonly options: SweepOptions;
}

async function write(store: StoredCells, { model, changes, report, options }: Writing): Promise<void> {
  for (let at = 0; at < changes.length; at += rowsAtOnce) {
    if (options.signal.aborted) {
      report.stopped = true;
      return;
    }
    const some = changes.slice(at, at + rowsAtOnce);
    const counts = await Promise.all(some.map(async (change) => (options.dryRun ? 1 : replace(store, model, change))));
    counts.forEach((count, index) => {
      const { cells } = some[index] as RowChange;
      if (count === 'duplicate')
        cells.filter(({ field }) => field.index?.unique).forEach((cell) => report.fault(cell, count));
      else if (count === 1) report.changed += cells.length;
      else report.raced += cells.length;
    });
  }
}

/**
 * Compare-and-set on every column that was read; the time of the last change stays what it was, for nothing has
 * changed.
 */
async function replace(store: StoredCells, model: Model, { cells, data }: RowChange): Promise<number | 'duplicate'> {
  const [first] = cells;
  const compared = [
    model.id ?? 'id',
    ...model.updatedAt,
    ...Object.keys(data),
    ...cells.map(({ field }) => field.name),
  ];
  const pick = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, first?.row[name]]));
  try {
    const changed = await delegateOf(store.client, model).updateMany({
      where: pick(compared),
      data: { ...data, ...pick(model.updatedAt) },
    });
    return changed.count;
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (code === 'P2002') return 'duplicate';
    // A deadlock or a conflict with a live write: theirs is kept, the next pass tries again.
    if (code === 'P2034') return 0;
    throw error;
  }
}

/** What has to be read of a row: id, cells, and all that they are opened with and compared by. */
function columns(model: Model): Record<string, true> {
  const names = [model.id ?? 'id', ...model.updatedAt, ...[...model.companions].flat(2)];
  return Object.fromEntries(names.map((name) => [name, true]));
}
