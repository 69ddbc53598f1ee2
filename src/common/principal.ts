import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Role } from './permissions.js';

/** Who is calling, as the session says it now: never from the token's claims alone, so that changes act at once. */
export interface Principal {
  /** UUIDv7 of the user. */
  readonly userId: string;
  /** UUIDv7 of the session that the access token belongs to. */
  readonly sessionId: string;
  readonly roles: readonly Role[];
  /** When the person last proved who they are. */
  readonly authenticatedAt: Date;
  /** RFC 8176 values, for example `pwd`. */
  readonly methods: readonly string[];
  /** Only the password was proved, and a second factor is due: nothing but the routes of `@BeforeSecondFactor()` is open. */
  readonly factorDue: boolean;
  /** True only with `factorDue`: there is no factor to prove, and the routes of `@BeforeSecondFactor('enrolment')` are open too. */
  readonly enrolmentDue: boolean;
  /** The session's refresh token travels in a cookie that scripts cannot read. */
  readonly inBrowser: boolean;
}

/** The authenticated caller. On a `@Public()` route the caller may be nobody: declare the parameter optional there. */
export const CurrentPrincipal = createParamDecorator(
  (_: unknown, context: ExecutionContext) => context.switchToHttp().getRequest<{ user?: Principal }>().user,
);
