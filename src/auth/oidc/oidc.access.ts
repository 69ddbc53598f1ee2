import { definePermissions, user } from '../../common/access/permissions.js';
import { defineRateLimits, minute } from '../../common/http/rate-limit.js';

export const identityPermissions = definePermissions('identity', {
  manage: { objects: 'self', roles: [user] },
});

export const oidcLimits = defineRateLimits('oidc', [
  { name: 'oidc-network', requests: 60, windowSeconds: minute, per: 'network' },
]);

/** Providers send all of theirs from a few addresses. */
export const logoutLimits = defineRateLimits('provider-logout', [
  { name: 'provider-logout-network', requests: 300, windowSeconds: minute, per: 'network' },
]);
