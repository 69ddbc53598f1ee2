import { definePermissions, user } from '../../common/access/permissions.js';
import { defineGuessLimits, hour, minute } from '../../common/http/rate-limit.js';

/** What people do with their second factors, whichever these are. @public: every user of it can be removed. */
export const factorPermissions = definePermissions('factor', {
  prove: { objects: 'self', roles: [user] },
  manage: { objects: 'self', roles: [user] },
});

/**
 * For codes. Counted by account: whoever knows the password guesses codes from as many addresses as they like (ASVS
 * v5.0.0-6.6.3). But a session that is whole has nothing to guess, and if it is stolen, must not keep its owner from
 * signing in.
 * @public: every user of it can be removed.
 */
export const proofLimits = defineGuessLimits('proof', [
  { name: 'proof-network', requests: 30, windowSeconds: minute, per: 'network' },
  { name: 'proof', requests: 10, windowSeconds: 15 * minute, per: 'due factor' },
  { name: 'proof-day', requests: 50, windowSeconds: 24 * hour, per: 'due factor' },
]);
