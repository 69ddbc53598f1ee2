import { Injectable } from '@nestjs/common';
import { Database } from '../../../database/index.js';
import { beginning, type Link, type LinkedEvent, type Stream } from './chain.js';

export const sealLock = 7_202_612;
/** Events that one statement looks at. */
export const windowRows = 5_000;

export interface UnsealedEvent extends LinkedEvent {
  readonly outcome: string;
}

/** So many events behind an id, and which of them have no link. */
export interface Window {
  readonly seen: number;
  /** The id of the last one. */
  readonly last: string | null;
  readonly unsealed: readonly UnsealedEvent[];
}

/** A link with its event; `event` is undefined when that is gone. */
export interface LinkWithEvent extends Link {
  readonly event: LinkedEvent | undefined;
}

interface LinkRow {
  readonly seq: number;
  readonly hash: Uint8Array;
  readonly id: string | null;
  readonly macKeyId: string;
  readonly mac: string;
}

@Injectable()
export class SealsRepository {
  constructor(private readonly database: Database) {}

  /** For the running transaction, so that whoever is killed holds nothing. @returns false while another seals. */
  async tryLock(): Promise<boolean> {
    const [row] = await this.client.$queryRaw<{ locked: boolean }[]>`
      SELECT pg_try_advisory_xact_lock(${sealLock}::bigint) AS locked`;
    return row?.locked === true;
  }

  /**
   * A window of the trail, in the order of ids. It is bounded, because no statement may take long; OFFSET 0 has each
   * row looked up by the index, where a planner that joins would read all links.
   */
  async window(after: string): Promise<Window> {
    const [row] = await this.client.$queryRaw<{ seen: number; last: string | null; rows: string[][] }[]>`
      WITH page AS MATERIALIZED (SELECT id, outcome, mac_key_id, mac FROM audit_events
        WHERE id > ${after}::uuid ORDER BY id LIMIT ${windowRows})
      SELECT (SELECT count(*)::int FROM page) AS seen,
        (SELECT id::text FROM page ORDER BY id DESC LIMIT 1) AS last,
        coalesce((SELECT json_agg(json_build_array(id, outcome, mac_key_id, mac) ORDER BY id) FROM page
          WHERE NOT EXISTS (SELECT FROM audit_links l WHERE l.event_id = page.id OFFSET 0)), '[]') AS rows`;
    const { seen = 0, last = null, rows = [] } = row ?? {};
    return {
      seen,
      last,
      unsealed: rows.map(([id = '', outcome = '', macKeyId = '', mac = '']) => ({ id, outcome, macKeyId, mac })),
    };
  }

  /** How many events behind that id have no link, 10,000 at most. */
  async countUnsealed(after: string): Promise<number> {
    const [row] = await this.client.$queryRaw<{ count: number }[]>`
      SELECT count(*)::int AS count FROM (SELECT FROM audit_events e WHERE id > ${after}::uuid
        AND NOT EXISTS (SELECT FROM audit_links l WHERE l.event_id = e.id OFFSET 0) LIMIT 10000) AS unsealed`;
    return row?.count ?? 0;
  }

  /** The newest links, newest first. */
  async newestLinks(stream: Stream, count: number): Promise<LinkWithEvent[]> {
    const rows = await this.client.$queryRaw<LinkRow[]>`
      SELECT l.seq::float8 AS seq, l.hash, e.id::text AS id, e.mac_key_id AS "macKeyId", e.mac
      FROM (SELECT * FROM audit_links WHERE stream = ${stream} ORDER BY seq DESC LIMIT ${count}) l
      LEFT JOIN audit_events e ON e.id = l.event_id ORDER BY l.seq DESC`;
    return rows.map(({ seq, hash, id, macKeyId, mac }) => ({
      seq,
      hash: Buffer.from(hash),
      event: id === null ? undefined : { id, macKeyId, mac },
    }));
  }

  async hashAt(stream: Stream, seq: number): Promise<Buffer | undefined> {
    if (seq === 0) return beginning.hash;
    const row = await this.client.auditLink.findUnique({
      where: { stream_seq: { stream, seq } },
      select: { hash: true },
    });
    return row === null ? undefined : Buffer.from(row.hash);
  }

  newestCheckpoint(stream: Stream) {
    return this.client.auditCheckpoint.findFirst({ where: { stream }, orderBy: { seq: 'desc' } });
  }

  newestAnchor(stream: Stream) {
    return this.client.auditAnchor.findFirst({ where: { stream }, orderBy: { seq: 'desc' } });
  }

  /** When the first link was made that no checkpoint covers. */
  async uncoveredSince(stream: Stream): Promise<Date | undefined> {
    const covered = (await this.newestCheckpoint(stream))?.seq ?? 0;
    const where = { stream, seq: { gt: covered } };
    return (await this.client.auditLink.findFirst({ where, orderBy: { seq: 'asc' }, select: { at: true } }))?.at;
  }

  async append(stream: Stream, links: readonly Link[], events: readonly LinkedEvent[], at: Date): Promise<void> {
    const ids = events.map(({ id }) => id);
    const hashes = links.map(({ hash }) => hash.toString('hex'));
    await this.client.$executeRaw`
      INSERT INTO audit_links (stream, seq, event_id, hash, at)
      SELECT ${stream}, ${(links[0]?.seq ?? 0) - 1}::bigint + place, id, decode(hash, 'hex'), ${at}::timestamptz
      FROM unnest(${ids}::uuid[], ${hashes}::text[]) WITH ORDINALITY AS row (id, hash, place)`;
  }

  async addCheckpoint(row: { stream: Stream; seq: number; keyId: string; note: string; at: Date }): Promise<void> {
    await this.client.auditCheckpoint.create({ data: row, select: { seq: true } });
  }

  private get client(): Database['client'] {
    return this.database.client;
  }
}
