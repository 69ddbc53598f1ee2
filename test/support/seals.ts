import {
  AuthoritySeals,
  type Sealed,
  type SessionAuthority,
  type AccountStatus,
} from '../../src/common/access/authority-seals.js';
import type { TestApp } from './app.js';

type Query = (text: string, values?: unknown[]) => Promise<{ rows: Record<string, unknown>[] }>;

const users =
  'SELECT id::text, roles, status, second_factors AS "secondFactors", authority_mac AS "authorityMac" FROM users';
const sessions = `SELECT id::text, user_id::text AS "userId", authenticated_at AS "authenticatedAt", methods,
  factor_due AS "factorDue", enrolment_due AS "enrolmentDue", in_browser AS "inBrowser", expires_at AS "expiresAt",
  authority_mac AS "authorityMac" FROM sessions WHERE ended_at IS NULL`;

/**
 * Gives every row the seal that the service would have written: for tests that make a state by SQL which the service
 * makes by other ways.
 * Attacks on the database write without it.
 */
export async function sealRows(app: TestApp, query: Query): Promise<void> {
  const seals = app.on(0).service.app.get(AuthoritySeals, { strict: false });
  for (const row of (await query(users)).rows as unknown as Sealed<AccountStatus>[]) {
    const seal = seals.ofAccount(row);
    if (seal !== row.authorityMac) await query('UPDATE users SET authority_mac = $2 WHERE id = $1', [row.id, seal]);
  }
  for (const row of (await query(sessions)).rows as unknown as Sealed<SessionAuthority>[]) {
    const seal = seals.ofSession(row);
    if (seal !== row.authorityMac) await query('UPDATE sessions SET authority_mac = $2 WHERE id = $1', [row.id, seal]);
  }
}
