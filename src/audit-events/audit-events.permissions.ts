import { declareRole, definePermissions, user } from '../common/access/permissions.js';

/** Reads the trail, and administers nothing: whoever is watched must not be the one who watches (NIST AU-9(4)). */
const auditor = declareRole('auditor');

export const auditPermissions = definePermissions('audit-event', {
  read: { objects: 'any', roles: [auditor] },
  readOwn: { objects: 'self', roles: [user] },
});
