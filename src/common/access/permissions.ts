// Who may call what, and about which objects: each feature declares its own, and the inventory prints all.
import { Declarations, kebab } from '../declarations.js';

export type Role = string;

const declaredRoles: Role[] = [];

/** Every role that somebody declared. Those of a feature come while its files are loaded, so read it late. */
export const roles: readonly Role[] = declaredRoles;

/**
 * A role that administrators can give. The database holds the same names: the migration of whoever adds one says
 * `SELECT allow_in_users('roles', 'auditor');`.
 * @throws Error for a name that is there already.
 */
export function declareRole(name: string): Role {
  if (roles.includes(name)) throw new Error(`the role ${name} is declared twice`);
  declaredRoles.push(name);
  return name;
}

/** Everybody who has an account. */
export const user = declareRole('user');
/** An administrator is a user too (the database demands both roles), so nothing is listed twice. */
export const admin = declareRole('admin');

/**
 * About which objects a permission is: the caller's own account, one that does not exist yet, any (for administrators),
 * or those that a policy lets the caller reach. `invoicePolicy.update` is exported by the policy file of the feature
 * that has invoices (common/access/policy.ts).
 */
export type Objects = 'self' | 'new' | 'any' | `${string}Policy.${string}`;

interface Rule {
  readonly objects: Objects;
  readonly roles: readonly [Role, ...Role[]];
}

/** A function of the API: who holds it, and about which objects it is. */
export interface Permission extends Rule {
  /** `resource:update` */
  readonly name: string;
}

const declared = new Declarations<Permission>('permission');

/** Every permission that a feature declared. */
export const permissions = (): readonly Permission[] => declared.list();

/**
 * The permissions of a feature, which `@Can` takes. A role has what names it and nothing else (ASVS v5.0.0-8.2.1).
 * @throws Error for a permission that is there already, or for a role that nobody declared.
 */
export function definePermissions<Act extends string>(
  subject: string,
  rules: Readonly<Record<Act, Rule>>,
): Readonly<Record<Act, Permission>> {
  const made = Object.entries<Rule>(rules).map(([act, rule]) => {
    const name = `${subject}:${kebab(act)}`;
    const unknown = rule.roles.find((role) => !roles.includes(role));
    if (unknown !== undefined) throw new Error(`${name} is given to the role ${unknown}, which nobody declared`);
    return [act, declared.add({ ...rule, name, roles: Object.freeze(rule.roles) })] as const;
  });
  return Object.fromEntries(made) as Record<Act, Permission>;
}

/** True when one of the roles holds the permission; unknown roles hold none. */
export const isPermitted = (held: readonly Role[], permission: Permission): boolean =>
  held.some((role) => permission.roles.includes(role));
