import { admin, definePermissions, type Permission } from '../../common/access/permissions.js';
import type { Person } from '../../common/access/principal.js';
import { Problem } from '../../common/http/problem.js';
import type { SecurityEvents } from '../../common/events/security-events.js';
import type { Acting } from '../../users/index.js';

export const administrationPermissions = definePermissions('user', {
  disable: { objects: 'any', roles: [admin] },
  signOut: { objects: 'any', roles: [admin] },
  resetPassword: { objects: 'any', roles: [admin] },
});

/** An administrator by the API; `operator` is whoever runs a command on the machine, behind its own access control. */
export type Caller = Person | 'operator';

export const byOf = (caller: Caller): string => (caller === 'operator' ? caller : 'administrator');

/** What is asked again of the caller under the lock. */
export const actingAs = (caller: Caller, permission: Permission): Acting =>
  caller === 'operator' ? undefined : { principal: caller, permission };

/**
 * Administration is about others: an administrator's stolen session must not cut the owner's way back, and nobody locks
 * themselves out by a slip (abuse case A5-5).
 * @throws Problem forbidden.
 */
export function assertNotSelf(events: SecurityEvents, { userId }: Person, id: string): void {
  if (id !== userId) return;
  events.reportLater({
    action: 'authz_fail',
    outcome: 'denied',
    target: { type: 'user', id },
    details: { reason: 'own-account' },
  });
  throw new Problem('forbidden', 'Another administrator has to do this to your account.');
}
