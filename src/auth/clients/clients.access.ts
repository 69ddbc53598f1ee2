import { admin, definePermissions } from '../../common/access/permissions.js';
import { defineRateLimits, minute } from '../../common/http/rate-limit.js';

export const clientPermissions = definePermissions('client', {
  read: { objects: 'any', roles: [admin] },
  manage: { objects: 'any', roles: [admin] },
});

/** A token lasts for minutes: so many clients of one network get theirs, and whoever guesses meets a bound. */
export const oauthLimits = defineRateLimits('oauth', [
  { name: 'oauth-network', requests: 120, windowSeconds: minute, per: 'network' },
]);
