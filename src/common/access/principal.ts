import { createCheckedParameter } from '../http/parameters.js';
import { Problem } from '../http/problem.js';
import type { Limit } from '../http/rate-limit.js';
import { isPermitted, type Permission, type Role } from './permissions.js';

/** A person at a device, or a program that acts for whoever owns it. */
export type PrincipalKind = 'person' | 'machine';

/** A person who is calling, as the session says it now: never from the token alone, so that changes act at once. */
export interface Person {
  readonly kind: 'person';
  /** UUIDv7 of the user. */
  readonly userId: string;
  /** UUIDv7 of the session that the access token belongs to. */
  readonly sessionId: string;
  readonly roles: readonly Role[];
  /** When the person last proved who they are. */
  readonly authenticatedAt: Date;
  /** RFC 8176 values, for example `pwd`. */
  readonly methods: readonly string[];
  /**
   * Only the password was proved, and a second factor is due: nothing but the routes of `@BeforeSecondFactor()` is
   * open.
   */
  readonly factorDue: boolean;
  /**
   * True only with `factorDue`: there is no factor to prove, and the routes of `@BeforeSecondFactor('enrolment')` are
   * open too.
   */
  readonly enrolmentDue: boolean;
  /** The session's refresh token travels in a cookie that scripts cannot read. */
  readonly inBrowser: boolean;
}

/** How much a machine may ask for in a minute, by the figures of rate limiting, and an API key in a day. */
export const machineTiers = ['standard', 'high'] as const;
export type MachineTier = (typeof machineTiers)[number];

/** A program that is calling. It reaches what its owner reaches, and of that no more than its scopes say. */
export interface Machine {
  readonly kind: 'machine';
  /** UUIDv7 of the owner: a person, or the account of a service. Policies look at it as at a person's. */
  readonly userId: string;
  /** What the owner has now, not when the machine was made. */
  readonly roles: readonly Role[];
  /** UUIDv7 of the API key, the client, the mapping of a certificate. */
  readonly machineId: string;
  /** The name of its `MachineAuthenticator`, such as `api-key`. */
  readonly method: string;
  /** Names of permissions, such as `resource:read`. */
  readonly scopes: readonly string[];
  readonly tier: MachineTier;
  /** What its method counts it by, after everything else: what other limits refuse is not counted by these. */
  readonly limits?: readonly Limit[];
}

/** Who is calling. `kind` tells the two apart; a route is open to people alone unless its `@Can` says otherwise. */
export type Principal = Person | Machine;

/**
 * True when the caller holds the permission: by a role, and a machine by a scope of that name as well. Its roles are
 * those that its owner has now, so that no machine keeps what was taken from its owner.
 */
export const holds = (principal: Principal, permission: Permission): boolean =>
  isPermitted(principal.roles, permission) &&
  (principal.kind === 'person' || principal.scopes.includes(permission.name));

const principalOf = (request: unknown): Principal | undefined => (request as { user?: Principal }).user;

/** The authenticated caller. On a `@Public()` route the caller may be nobody: declare the parameter optional there. */
export const CurrentPrincipal = createCheckedParameter(principalOf);

/**
 * The same for handlers that need what only people have, such as a session. A machine gets 403 from it, also where the
 * route was opened to machines by mistake, or to everybody.
 */
export const CurrentPerson = createCheckedParameter((request) => {
  const principal = principalOf(request);
  if (principal?.kind === 'machine') throw new Problem('forbidden', 'Only people may do this.');
  return principal;
});
