import { admin, definePermissions } from '../../common/access/permissions.js';
import { defineAction } from '../../common/events/security-events.js';

/** Administrators, about what somebody has to look at. */
export const alertPermissions = definePermissions('alert', {
  read: { objects: 'any', roles: [admin] },
  acknowledge: { objects: 'any', roles: [admin] },
});

export const alertAcknowledged = defineAction('alert_acknowledged');
