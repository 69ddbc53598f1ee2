import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import {
  ACCESS,
  BEFORE_SECOND_FACTOR,
  STEP_UP,
  stepUpMaxAgeSeconds,
  type Access,
  type BeforeSecondFactorScope,
} from '../../common/access/access.decorators.js';
import { Clock } from '../../common/clock.js';
import { oncePerHandler } from '../../common/http/handlers.js';
import type { Permission } from '../../common/access/permissions.js';
import { senderOf } from '../../common/access/signed-requests.js';
import { holds, type Person, type Principal } from '../../common/access/principal.js';
import { Problem } from '../../common/http/problem.js';
import { SecurityEvents } from '../../common/events/security-events.js';

type Opening = Extract<Access, { kind: 'public' }>;

interface Rule {
  readonly access: Access | undefined;
  readonly beforeSecondFactor: BeforeSecondFactorScope | undefined;
  readonly stepUp: boolean;
}

const ruleOf = oncePerHandler<Rule>((handler) => ({
  access: Reflect.getMetadata(ACCESS, handler) as Access | undefined,
  beforeSecondFactor: Reflect.getMetadata(BEFORE_SECOND_FACTOR, handler) as BeforeSecondFactorScope | undefined,
  stepUp: Reflect.getMetadata(STEP_UP, handler) === true,
}));

/**
 * Functions are closed unless a permission opens them (ASVS v5.0.0-8.2.1). Which objects: the policies of the features.
 */
@Injectable()
export class AuthorizationGuard implements CanActivate {
  constructor(
    private readonly events: SecurityEvents,
    private readonly clock: Clock,
  ) {}

  canActivate(context: ExecutionContext): true {
    const { access, beforeSecondFactor, stepUp } = ruleOf(context.getHandler(), context.getClass());
    // The boot refuses undeclared handlers; one that got here all the same (added at run time) is closed.
    if (access === undefined) throw this.denied('forbidden');
    const request = context.switchToHttp().getRequest<FastifyRequest & { user?: Principal }>();
    const { user: principal } = request;
    if (access.kind === 'public') return this.open(access, principal, request);
    if (principal === undefined) throw new Problem('unauthenticated');
    if (isFactorDue(principal) && !isOpenBefore(beforeSecondFactor, principal))
      throw this.denied('second-factor-required', access.permission);
    // A route is for people first: a stolen key opens no way to a password or a factor (abuse case A2-8).
    if (!access.kinds.includes(principal.kind) || !holds(principal, access.permission))
      throw this.denied('forbidden', access.permission);
    if (stepUp && !this.isFresh(principal)) throw this.denied('step-up-required', access.permission);
    return true;
  }

  /** Nobody needs a credential there; one that comes may still be of a kind for which there is nothing. */
  private open({ kinds, signature }: Opening, principal: Principal | undefined, { raw }: FastifyRequest): true {
    if (principal !== undefined && !kinds.includes(principal.kind)) throw this.denied('forbidden');
    // Not verified, or as another sender: whatever was forgotten, the route stays closed.
    if (signature !== undefined && senderOf(raw) !== signature.sender) throw this.denied('forbidden');
    return true;
  }

  /** A machine proves nothing anew, so it is never fresh; the boot refuses a route that asks it to be. */
  private isFresh(principal: Principal): boolean {
    if (principal.kind === 'machine') return false;
    return this.clock.now().getTime() - principal.authenticatedAt.getTime() <= stepUpMaxAgeSeconds * 1000;
  }

  private denied(type: keyof typeof challenges, permission?: Permission): Problem {
    const asked = permission && { permission: permission.name };
    const action = type === 'step-up-required' ? 'authn_step_up_required' : 'authz_fail';
    this.events.reportLater({ action, outcome: 'denied', details: { ...asked, reason: type } });
    const challenge = challenges[type];
    return new Problem(type, undefined, challenge === undefined ? {} : { headers: { 'WWW-Authenticate': challenge } });
  }
}

const isFactorDue = (principal: Principal): principal is Person => principal.kind === 'person' && principal.factorDue;

const isOpenBefore = (scope: BeforeSecondFactorScope | undefined, { enrolmentDue }: Person): boolean =>
  scope === 'any' || (scope === 'enrolment' && enrolmentDue);

/** What the client has to do to pass, in the words of RFC 9470. */
const challenges = {
  'forbidden': undefined,
  'second-factor-required': 'Bearer error="insufficient_user_authentication", acr_values="aal2"',
  'step-up-required': `Bearer error="insufficient_user_authentication", max_age="${stepUpMaxAgeSeconds}"`,
} as const;
