import { admin, definePermissions, user } from '../../common/access/permissions.js';
import { defineRateLimits, hour } from '../../common/http/rate-limit.js';

/** People, about their own keys. */
export const apiKeyPermissions = definePermissions('api-key', {
  read: { objects: 'self', roles: [user] },
  manage: { objects: 'self', roles: [user] },
});

/** Administrators, about the keys of services, whichever of them answers for one. */
export const serviceKeyPermissions = definePermissions('service-key', {
  read: { objects: 'any', roles: [admin] },
  manage: { objects: 'any', roles: [admin] },
});

export const newKeyLimits = defineRateLimits('api-key', [
  { name: 'api-key-network', requests: 60, windowSeconds: hour, per: 'network' },
  { name: 'api-key', requests: 30, windowSeconds: hour, per: 'user' },
]);
