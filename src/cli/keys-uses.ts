import type { KeyRing } from '@nestjs-secure-template/field-encryption';
import type { KeyUse, Moved } from '@nestjs-secure-template/field-encryption/maintenance';
import { sealedSession, sealedAccount, type AuthoritySeals, type Sealed } from '../common/access/authority-seals.js';
import type { Purpose } from '../common/macs.js';
import type { Database } from '../database/index.js';
import { countOfKey } from './key-counts.js';

const hourMs = 60 * 60 * 1000;
const dayMs = 24 * hourMs;

interface Services {
  readonly database: Database;
  readonly seals: AuthoritySeals;
  readonly keyRing: KeyRing;
  readonly signal: AbortSignal;
  readonly print: (line: string) => void;
}

/** What the service makes with the keys of its own purposes. */
export function serviceKeyUses(services: Services): Record<Exclude<Purpose, 'pii' | 'jwt' | 'blind-index'>, KeyUse> {
  const { client } = services.database;
  return {
    'rate-limit': { neededMs: hourMs },
    // Most tokens end within a day; those in mailed invitations, that end further ones, are good for as long as the
    // mailbox is remembered.
    'one-time-token': { neededMs: 31 * dayMs },
    // A device that is forgotten early has no bucket of its own any more; its owner still signs in.
    'known-device': { neededMs: dayMs },
    // Sessions end after 30 days at the latest.
    'refresh-token': { neededMs: 31 * dayMs },
    // No API key lives for longer.
    'api-key': { neededMs: 366 * dayMs },
    'audit': { neededMs: hourMs, count: async (macKeyId) => client.auditEvent.count({ where: { macKeyId } }) },
    'audit-checkpoint': { neededMs: hourMs, count: (keyId) => countOfKey('audit-checkpoint', client, keyId) },
    'authority': {
      neededMs: hourMs,
      count: (keyId) => countSeals(services, keyId),
      async move() {
        const report = await resealAuthority(services);
        services.print(`${report.moved} accounts and sessions sealed anew, ${report.faults} faults`);
        return report;
      },
    },
  };
}

const openSessions = { endedAt: null };

/** How many accounts and open sessions have a seal of that key. */
async function countSeals({ database: { client } }: Services, keyId: string): Promise<number> {
  const authorityMac = { startsWith: `${keyId}.` };
  const accounts = await client.user.count({ where: { authorityMac } });
  return accounts + (await client.session.count({ where: { authorityMac, ...openSessions } }));
}

/** Seals anew, with the active key, what an older one sealed. A broken seal is reported, and stays broken. */
async function resealAuthority({ database: { client }, seals, keyRing, signal }: Services): Promise<Moved> {
  const old = { authorityMac: { not: { startsWith: `${keyRing.active('authority').id}.` } } };
  const accounts = await resealRows(signal, {
    read: (id) =>
      client.user.findMany({ where: { ...old, id }, orderBy: { id: 'asc' }, take: pageRows, select: sealedAccount }),
    isWhole: (row) => seals.isWholeAccount(row),
    // Compared with the seal that was read: whoever changed the row meanwhile has sealed it.
    write: (row) =>
      client.user.updateMany({
        where: { id: row.id, authorityMac: row.authorityMac },
        data: { authorityMac: seals.ofAccount(row) },
      }),
  });
  const sessions = await resealRows(signal, {
    read: (id) =>
      client.session.findMany({
        where: { ...old, ...openSessions, id },
        orderBy: { id: 'asc' },
        take: pageRows,
        select: sealedSession,
      }),
    isWhole: (row) => seals.isWholeSession(row),
    write: (row) =>
      client.session.updateMany({
        where: { id: row.id, authorityMac: row.authorityMac, ...openSessions },
        data: { authorityMac: seals.ofSession(row) },
      }),
  });
  return { moved: accounts.moved + sessions.moved, faults: accounts.faults + sessions.faults };
}

const pageRows = 500;

interface SealedTable<Row> {
  readonly read: (id: { readonly gt: string } | undefined) => PromiseLike<Row[]>;
  readonly isWhole: (row: Row) => boolean;
  readonly write: (row: Row) => PromiseLike<{ readonly count: number }>;
}

/** In the order of the ids, so that memory stays flat and no row is passed twice. */
async function resealRows<Row extends Sealed<{ readonly id: string }>>(
  signal: AbortSignal,
  { read, isWhole, write }: SealedTable<Row>,
): Promise<Moved> {
  let [moved, faults] = [0, 0];
  for (let last: string | undefined; !signal.aborted;) {
    const rows = await read(last === undefined ? undefined : { gt: last });
    for (const row of rows) {
      if (isWhole(row)) moved += (await write(row)).count;
      else faults += 1;
    }
    last = rows.at(-1)?.id;
    if (rows.length < pageRows) break;
  }
  return { moved, faults };
}
