import { admin, definePermissions, user } from '../common/access/permissions.js';

/** What people do with their own account. */
export const accountPermissions = definePermissions('account', {
  read: { objects: 'self', roles: [user] },
  update: { objects: 'self', roles: [user] },
  delete: { objects: 'self', roles: [user] },
  export: { objects: 'self', roles: [user] },
});

/** What administrators do with the accounts of others. */
export const userPermissions = definePermissions('user', {
  list: { objects: 'any', roles: [admin] },
  read: { objects: 'any', roles: [admin] },
  grant: { objects: 'any', roles: [admin] },
});
