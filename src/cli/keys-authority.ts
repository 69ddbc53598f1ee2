import type { AuthoritySeals, Sealed, SessionAuthority, Standing } from '../common/authority-seals.js';
import type { Role } from '../common/permissions.js';
import type { Database } from '../database/index.js';

const pageRows = 500;
const openSessions = { endedAt: null };

const standing = { id: true, roles: true, status: true, secondFactors: true, authorityMac: true } as const;
const authority = {
  id: true, userId: true, authenticatedAt: true, methods: true, factorDue: true, enrolmentDue: true, inBrowser: true, expiresAt: true, authorityMac: true,
} as const; // prettier-ignore

interface Resealing {
  readonly database: Database;
  readonly seals: AuthoritySeals;
  readonly activeKey: string;
  readonly signal: AbortSignal;
}

interface Resealed {
  moved: number;
  faults: number;
}

/** How many accounts and open sessions have a seal of that key. */
export async function countSealsOf({ client }: Database, keyId: string): Promise<number> {
  const authorityMac = { startsWith: `${keyId}.` };
  return (await client.user.count({ where: { authorityMac } })) + (await client.session.count({ where: { authorityMac, ...openSessions } }));
}

/** Seals anew, with the active key, what an older one sealed. A broken seal is reported, and stays broken. */
export async function resealAuthority(resealing: Resealing): Promise<Resealed> {
  const { database: { client }, seals, activeKey, signal } = resealing; // prettier-ignore
  const done = { moved: 0, faults: 0 };
  const old = { authorityMac: { not: { startsWith: `${activeKey}.` } } };
  const count = (isWhole: boolean, changed: number) => (isWhole ? (done.moved += changed) : (done.faults += 1));
  await eachPage(signal, (id) => client.user.findMany({ where: { ...old, id }, orderBy: { id: 'asc' }, take: pageRows, select: standing }), async (row) => {
    const account: Sealed<Standing> = { ...row, roles: row.roles as Role[] };
    const isWhole = seals.isWholeStanding(account);
    const data = { authorityMac: seals.ofStanding(account) };
    // Compared with the seal that was read: whoever changed the row meanwhile has sealed it.
    count(isWhole, isWhole ? (await client.user.updateMany({ where: { id: row.id, authorityMac: row.authorityMac }, data })).count : 0);
  });
  const where = { ...old, ...openSessions };
  await eachPage(signal, (id) => client.session.findMany({ where: { ...where, id }, orderBy: { id: 'asc' }, take: pageRows, select: authority }), async (row: Sealed<SessionAuthority>) => {
    const isWhole = seals.isWholeSession(row);
    const data = { authorityMac: seals.ofSession(row) };
    count(isWhole, isWhole ? (await client.session.updateMany({ where: { id: row.id, authorityMac: row.authorityMac, ...openSessions }, data })).count : 0);
  });
  return done;
}

/** In the order of the ids, so that memory stays flat and no row is passed twice. */
async function eachPage<Row extends { readonly id: string }>(
  signal: AbortSignal,
  read: (id: { gt: string } | undefined) => PromiseLike<Row[]>,
  work: (row: Row) => Promise<void>,
): Promise<void> {
  for (let last: string | undefined; !signal.aborted; ) {
    const rows = await read(last === undefined ? undefined : { gt: last });
    for (const row of rows) await work(row);
    last = rows.at(-1)?.id;
    if (rows.length < pageRows) return;
  }
}
