/** Arguments of a Prisma call, which the extension gets as a deep copy and may change in place. */
export type Args = Record<string, unknown>;

/** A plain object of arguments; dates, bytes, decimals, field references and lists are values. */
export function isArgs(value: unknown): value is Args {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Prisma takes one or a list in most places. */
export const asList = (value: unknown): unknown[] => (Array.isArray(value) ? value : value === undefined ? [] : [value]);

/** Only what also fits these conditions. */
export function narrow(where: Args, ...conditions: readonly Args[]): void {
  where['AND'] = [...asList(where['AND']), ...conditions];
}

/** Fits no row. Not `{ OR: [] }`: within AND, Prisma 7.10 takes that for everything (seen). */
export const nothing = (field: string): Args => ({ [field]: { in: [] } });
