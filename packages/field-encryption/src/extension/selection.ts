import { type Args, isArgs, type Model } from './models.js';
import type { Filters } from './filters.js';

/** What was read only to open cells, and leaves the result again: per level of the selection. */
export interface Strip {
  readonly fields: readonly string[];
  readonly relations: ReadonlyMap<string, Strip>;
}

/** Prepares `select`, `include` and `omit`, with the filters and orders inside them. */
export class Selection {
  constructor(private readonly filters: Filters) {}

  /** Makes sure that whatever is opened comes with its row id, subject and index. @returns what to take out again. */
  prepare(model: Model, args: Args): Strip | undefined {
    const fields = addCompanions(model, args);
    const relations = new Map<string, Strip>();
    for (const nested of [args['select'], args['include']]) {
      if (!isArgs(nested)) continue;
      for (const [name, value] of Object.entries(nested)) {
        if (name === '_count') this.counts(model, value);
        const relation = model.relations.get(name);
        if (relation === undefined || !isArgs(value)) continue;
        this.filters.where(relation.target, value['where']);
        this.filters.order(relation.target, value);
        const strip = this.prepare(relation.target, value);
        if (strip !== undefined) relations.set(name, strip);
      }
    }
    return fields.length > 0 || relations.size > 0 ? { fields, relations } : undefined;
  }

  /** `_count: { select: { resources: { where } } }` */
  private counts(model: Model, value: unknown): void {
    const selected = isArgs(value) && isArgs(value['select']) ? value['select'] : {};
    for (const [name, condition] of Object.entries(selected)) {
      const relation = model.relations.get(name);
      if (relation !== undefined && isArgs(condition)) this.filters.where(relation.target, condition['where']);
    }
  }
}

function addCompanions(model: Model, args: Args): string[] {
  const { select, omit } = args;
  if (!isArgs(select) && !isArgs(omit)) return [];
  const isRead = (name: string) => (isArgs(select) ? select[name] === true : !isArgs(omit) || omit[name] !== true);
  const added = new Set<string>();
  for (const [field, companions] of model.companions) {
    if (isRead(field)) for (const name of companions) if (!isRead(name)) added.add(name);
  }
  for (const name of added) {
    if (isArgs(select)) select[name] = true;
    else if (isArgs(omit)) omit[name] = false;
  }
  return [...added];
}

/** Takes out of the rows what `prepare` added. */
export function stripRows(strip: Strip | undefined, result: unknown): void {
  if (strip === undefined) return;
  if (Array.isArray(result)) {
    for (const row of result) stripRows(strip, row);
  } else if (isArgs(result)) {
    for (const field of strip.fields) delete result[field];
    for (const [name, nested] of strip.relations) stripRows(nested, result[name]);
  }
}
