// Who may call what, and about which objects: the one table.

export const roles = ['user', 'admin'] as const;

export type Role = (typeof roles)[number];

/**
 * About which objects a permission is: the caller's own account, one that does not exist yet, any (for administrators), or those that
 * a policy lets the caller reach. `resourcePolicy.update` is exported by `resource.policy.ts` of the feature (common/policy.ts).
 */
type Objects = 'self' | 'new' | 'any' | `${string}Policy.${string}`;

interface Rule {
  readonly objects: Objects;
  /** An administrator is a user too (the database demands both roles), so nothing is listed twice. */
  readonly roles: readonly Role[];
}

/** Each permission names a function of the API. `@Can` accepts nothing else; a role has what names it and nothing else (ASVS v5.0.0-8.2.1). */
export const permissions = {
  'account:read': { objects: 'self', roles: ['user'] },
  'account:update': { objects: 'self', roles: ['user'] },
  'account:delete': { objects: 'self', roles: ['user'] },
  'account:export': { objects: 'self', roles: ['user'] },
  'session:list': { objects: 'self', roles: ['user'] },
  'session:end': { objects: 'self', roles: ['user'] },
  'password:change': { objects: 'self', roles: ['user'] },
  'email:change': { objects: 'self', roles: ['user'] },
  'factor:prove': { objects: 'self', roles: ['user'] },
  'factor:manage': { objects: 'self', roles: ['user'] },
  'resource:create': { objects: 'new', roles: ['user'] },
  'resource:read': { objects: 'resourcePolicy.read', roles: ['user'] },
  'resource:update': { objects: 'resourcePolicy.update', roles: ['user'] },
  'resource:delete': { objects: 'resourcePolicy.delete', roles: ['user'] },
  'resource:share': { objects: 'resourcePolicy.share', roles: ['user'] },
  'invitation:read': { objects: 'self', roles: ['user'] },
  'invitation:answer': { objects: 'self', roles: ['user'] },
  'user:list': { objects: 'any', roles: ['admin'] },
  'user:read': { objects: 'any', roles: ['admin'] },
  'user:grant': { objects: 'any', roles: ['admin'] },
  'user:disable': { objects: 'any', roles: ['admin'] },
  'user:sign-out': { objects: 'any', roles: ['admin'] },
  'user:reset-password': { objects: 'any', roles: ['admin'] },
} as const satisfies Record<string, Rule>;

export type Permission = keyof typeof permissions;

/** The same by role, looked up at each request. A map, because a role named `__proto__` must not find anything. */
const permissionsOf = new Map<string, ReadonlySet<string>>(roles.map((role) => [role, heldBy(role)]));

function heldBy(role: Role): ReadonlySet<string> {
  const rules: readonly [string, Rule][] = Object.entries(permissions);
  return new Set(rules.filter(([, rule]) => rule.roles.includes(role)).map(([permission]) => permission));
}

/** True when one of the roles holds the permission; unknown roles hold none. */
export function isPermitted(held: readonly string[], permission: Permission): boolean {
  return held.some((role) => permissionsOf.get(role)?.has(permission) === true);
}
