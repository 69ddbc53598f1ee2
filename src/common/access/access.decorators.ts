import { SetMetadata } from '@nestjs/common';
import type { Permission } from './permissions.js';
import type { PrincipalKind } from './principal.js';

// All of these are for handlers only: on a class nobody would read them, so the types and the boot refuse them there.
export const ACCESS = 'access';

/** What a sender outside proves itself by, in place of a credential: a signature over the bytes of the request. */
export interface Signature {
  /** The name that the service has for it: `payments`. */
  readonly sender: string;
  /** The header field that carries the signature. */
  readonly field: string;
  /** How it is made, for the API description. */
  readonly description: string;
}

/**
 * How a route is opened: to everybody who comes without a credential and to principals of these kinds, with a signature
 * only to whoever has made it; or to principals of these kinds who hold the permission.
 */
export type Access =
  | { readonly kind: 'public'; readonly kinds: readonly PrincipalKind[]; readonly signature?: Signature }
  | { readonly kind: 'permission'; readonly permission: Permission; readonly kinds: readonly PrincipalKind[] };

/** For `kinds` of `@Can`: whoever holds the permission, be it a person or a machine. */
export const peopleAndMachines = ['person', 'machine'] as const;

interface PublicOptions {
  /** Whose credential may be sent, where one is. Left out: that of anybody. */
  readonly kinds?: readonly [PrincipalKind, ...PrincipalKind[]];
}

/** Opens the route to callers without a credential. A credential that is sent all the same must be valid. */
export const Public = ({ kinds = peopleAndMachines }: PublicOptions = {}): MethodDecorator =>
  SetMetadata<string, Access>(ACCESS, { kind: 'public', kinds });

/**
 * Opens the route to one sender outside, who signs, and to no credential whatever. Whoever verifies the signature says
 * so by `noteSender()`; a request about which nobody has said it is refused.
 * @public: every user of it can be removed.
 */
export const Signed = (signature: Signature): MethodDecorator =>
  SetMetadata<string, Access>(ACCESS, { kind: 'public', kinds: [], signature });

const scopes: string[] = [];

/**
 * What machines can be allowed: names of the permissions of routes that are open to them. Features add to it while
 * their files are loaded, so read it late.
 */
export const machineScopes: readonly string[] = scopes;

interface CanOptions {
  /** Left out: people only, so that no route is open to machines because nobody thought of them. */
  readonly kinds?: readonly [PrincipalKind, ...PrincipalKind[]];
}

/**
 * Opens the route to principals with a role that holds the permission; a machine also needs the permission as a scope.
 * A handler with neither this nor `@Public()` stops the boot.
 */
export function Can(permission: Permission, { kinds = ['person'] }: CanOptions = {}): MethodDecorator {
  if (kinds.includes('machine') && !scopes.includes(permission.name)) scopes.push(permission.name);
  return SetMetadata<string, Access>(ACCESS, { kind: 'permission', permission, kinds });
}

export const OPEN_IN_LOCKDOWN = 'open-in-lockdown';

/** What still works while an incident keeps the service from writing: signing in and out, and what stops a thief. */
export const OpenInLockdown = (): MethodDecorator => SetMetadata(OPEN_IN_LOCKDOWN, true);

export const BEFORE_SECOND_FACTOR = 'before-second-factor';
export const STEP_UP = 'step-up';

/** How long a proof of identity counts as fresh. */
export const stepUpMaxAgeSeconds = 5 * 60;

/** Which sessions with a factor due: all of them, or those of people who have none yet and must enrol one. */
export type BeforeSecondFactorScope = 'any' | 'enrolment';

/**
 * Opens the route also to sessions whose second factor is still due. Everything else stays closed to them. With
 * `enrolment`, only to people who have no factor while one is demanded: whoever has one must never enrol another after
 * the password alone (abuse case A2-6).
 */
export const BeforeSecondFactor = (scope: BeforeSecondFactorScope = 'any'): MethodDecorator =>
  SetMetadata(BEFORE_SECOND_FACTOR, scope);

/**
 * Demands that the caller proved who they are within the last five minutes; otherwise the answer is the challenge of
 * RFC 9470, and whoever signs in again passes. For what a stolen session must not be able to do (ASVS v5.0.0-7.5.1,
 * 7.5.3).
 */
export const StepUp = (): MethodDecorator => SetMetadata(STEP_UP, true);
