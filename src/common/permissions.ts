// Who may call what: the one table. Object rules (whose resource?) are the policies beside the features.

/** Each permission names a function of the API. `@Can` accepts nothing else. */
export const permissions = [
  'account:read',
  'account:update',
  'account:delete',
  'account:export',
  'session:list',
  'session:end',
  'password:change',
  'email:change',
  'factor:prove',
  'factor:manage',
  'resource:create',
  'resource:read',
  'resource:update',
  'resource:delete',
  'resource:share',
  'user:list',
  'user:read',
  'user:grant',
  'user:disable',
  'user:sign-out',
  'user:reset-password',
] as const;

export type Permission = (typeof permissions)[number];

export const roles = ['user', 'admin'] as const;

export type Role = (typeof roles)[number];

/** Deny by default: a role has what is listed and nothing else (ASVS v5.0.0-8.2.1). */
const rolePermissions: Readonly<Record<Role, ReadonlySet<Permission>>> = {
  user: new Set<Permission>([
    'account:read',
    'account:update',
    'account:delete',
    'account:export',
    'session:list',
    'session:end',
    'password:change',
    'email:change',
    'factor:prove',
    'factor:manage',
    'resource:create',
    'resource:read',
    'resource:update',
    'resource:delete',
    'resource:share',
  ]),
  // An administrator is a user too (the database demands both roles), so nothing is repeated here.
  admin: new Set<Permission>(['user:list', 'user:read', 'user:grant', 'user:disable', 'user:sign-out', 'user:reset-password']),
};

/** What a role may do; unknown roles nothing. A map, because a role named `__proto__` must not find anything either. */
const permissionsOf = new Map<string, ReadonlySet<Permission>>(Object.entries(rolePermissions));

/** True when one of the roles holds the permission. */
export function isPermitted(held: readonly string[], permission: Permission): boolean {
  return held.some((role) => permissionsOf.get(role)?.has(permission) === true);
}
