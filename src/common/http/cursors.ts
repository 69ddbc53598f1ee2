import { Injectable } from '@nestjs/common';
import { OptionalField, TokenField, WholeQueryField } from './fields.js';
import { Macs } from '../macs.js';
import type { Principal } from '../access/principal.js';
import { Problem } from './problem.js';
import { SecurityEvents } from '../events/security-events.js';
import { showingUnreadable } from '../unreadable.js';
import { ViewField } from './view.js';

/** What the query of every list has. */
export class PageQuery {
  @OptionalField()
  @WholeQueryField({ min: 1, max: 100, fallback: 20 })
  limit?: number;

  @OptionalField()
  @TokenField({ max: 200 })
  cursor?: string;
}

/**
 * What the view of every list has beside its items. No totals: they would count what the caller may not see, and cost
 * with the table.
 */
export class PageView {
  @ViewField({ type: 'string', nullable: true, description: 'Pass it as `cursor` to get the next page.' })
  nextCursor: string | null;

  @ViewField({ type: 'string', nullable: true, description: 'Pass it as `cursor` to get the page before.' })
  previousCursor: string | null;
}

/** Which rows a page needs. Ids are UUIDv7: ordered by them, newest first, a page costs the same at any depth. */
export interface Keyset {
  /** The condition on the id; undefined for the first page. */
  readonly id: { readonly lt: string } | { readonly gt: string } | undefined;
  readonly order: 'asc' | 'desc';
  /** How many rows to read at once. */
  readonly take: number;
}

type Rows<Row> = readonly (Row & { readonly id: string })[];
type Read<Row> = (keyset: Keyset) => Promise<Rows<Row>>;

/**
 * What one page, and one piece of an export, holds: text in bytes, escapes left out. A hundred of the largest rows
 * would be 6 MB, and whoever asks for many and reads none of them would fill the memory (ASVS v5.0.0-15.2.2, abuse case
 * A4-2).
 */
export const maxPageBytes = 256 * 1024;
/** So many rows are in memory at most before they are weighed; the default page is one read. */
export const rowsPerRead = 26;

// A purpose of its own would be missing from every key ring that was made earlier, and stop its boot; the label keeps
// these MACs apart.
const purpose = 'one-time-token';
const label = 'cursor';

/**
 * Cursors name a row and a direction, and carry a MAC over both, the caller and the list with its filters: nobody
 * builds one, hands one on, or takes one to another list (abuse cases A1-6, A4-2). They give no right: each page asks
 * the policy again.
 */
@Injectable()
export class Cursors {
  constructor(
    private readonly macs: Macs,
    private readonly events: SecurityEvents,
  ) {}

  /**
   * Ends early, with a cursor to go on from, when the next row would make the page larger than `maxPageBytes`; one row
   * is always in it.
   * @param list names the list and whatever decides which rows are in it, the limit left out.
   * @param read fetches the rows of a keyset, in its order.
   * @throws Problem malformed-request for a cursor that was not made for this caller and list.
   */
  async page<Row>(
    principal: Principal,
    list: readonly string[],
    { limit = 20, cursor }: PageQuery,
    read: Read<Row>,
  ): Promise<PageView & { items: (Row & { readonly id: string })[] }> {
    const from = cursor === undefined ? undefined : this.open(principal, list, cursor);
    const backwards = from?.direction === 'previous';
    const { rows, hasMore } = await showingUnreadable(() => readPage(from, limit, read));
    // What was before is gone: an empty page without cursors would look like an empty list.
    if (backwards && rows.length === 0) return this.page(principal, list, { limit }, read);
    const items = backwards ? rows.toReversed() : rows;
    const make = (direction: Direction, row: { id: string } | undefined, exists: boolean) =>
      row !== undefined && exists ? this.make(principal, list, { direction, id: row.id }) : null;
    return {
      items,
      nextCursor: make('next', items.at(-1), backwards || hasMore),
      previousCursor: make('previous', items[0], backwards ? hasMore : from !== undefined),
    };
  }

  private make(principal: Principal, list: readonly string[], position: Position): string {
    const { keyId, mac } = this.macs.sign(purpose, partsOf(principal, list, position));
    return [position.direction.charAt(0) + position.id.replaceAll('-', ''), keyId, mac.toString('base64url')].join('.');
  }

  private open(principal: Principal, list: readonly string[], cursor: string): Position {
    const { direction, hex = '', keyId = '', mac = '' } = form.exec(cursor)?.groups ?? {};
    const position: Position = {
      direction: direction === 'n' ? 'next' : 'previous',
      id: hex.replace(uuidGroups, '$1-$2-$3-$4-$5'),
    };
    if (this.macs.verify(purpose, keyId, partsOf(principal, list, position), Buffer.from(mac, 'base64url')))
      return position;
    this.events.reportLater({
      action: 'input_validation_fail',
      outcome: 'denied',
      details: { in: 'query', reason: 'cursor' },
    });
    throw new Problem('malformed-request', undefined, {
      errors: [
        {
          pointer: 'query:cursor',
          code: 'unusable-cursor',
          message: 'cursor was not made for this caller and this list',
        },
      ],
    });
  }
}

type Direction = 'next' | 'previous';

interface Position {
  readonly direction: Direction;
  readonly id: string;
}

const form = /^(?<direction>[np])(?<hex>[0-9a-f]{32})\.(?<keyId>[a-z0-9-]{1,64})\.(?<mac>[\w-]{43})$/;
const uuidGroups = /^(.{8})(.{4})(.{4})(.{4})(.{12})$/;

/** The rows next to the position, in the order of the reading. */
async function readPage<Row>(from: Position | undefined, limit: number, read: Read<Row>) {
  const rows: (Row & { readonly id: string })[] = [];
  let bytes = 0;
  for (let keyset = keysetOf(from, limit + 1); ; keyset = after(keyset, rows, limit + 1)) {
    const slice = await read(keyset);
    for (const row of slice) {
      bytes += sizeOf(row);
      if (rows.length === limit || (rows.length > 0 && bytes > maxPageBytes)) return { rows, hasMore: true };
      rows.push(row);
    }
    if (slice.length < keyset.take) return { rows, hasMore: false };
  }
}

function keysetOf(from: Position | undefined, wanted: number): Keyset {
  const take = Math.min(wanted, rowsPerRead);
  if (from?.direction === 'previous') return { id: { gt: from.id }, order: 'asc', take };
  return { id: from && { lt: from.id }, order: 'desc', take };
}

function after({ order }: Keyset, rows: Rows<unknown>, wanted: number): Keyset {
  const { id = '' } = rows.at(-1) ?? {};
  return { id: order === 'asc' ? { gt: id } : { lt: id }, order, take: Math.min(wanted - rows.length, rowsPerRead) };
}

/**
 * Everything, newest first, in pieces that are as bounded as a page: for the export of personal data.
 * @public: every user of it can be removed.
 */
export async function* inPieces<Row>(read: Read<Row>): AsyncGenerator<Rows<Row>, void> {
  for (let position: Position | undefined; ;) {
    const { rows, hasMore } = await readPage(position, rowsPerRead - 1, read);
    if (rows.length > 0) yield rows;
    if (!hasMore) return;
    position = { direction: 'next', id: rows.at(-1)?.id ?? '' };
  }
}

/** The text in a row, in bytes; a number, a date or a flag counts for 24. */
function sizeOf(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (value === null || typeof value !== 'object' || value instanceof Date) return 24;
  let bytes = 0;
  for (const part of Object.values(value)) bytes += sizeOf(part);
  return bytes;
}

const partsOf = ({ userId }: Principal, list: readonly string[], { direction, id }: Position) => [
  label,
  userId,
  direction,
  id,
  ...list,
];
