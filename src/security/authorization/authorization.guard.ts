import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { ACCESS, BEFORE_SECOND_FACTOR, STEP_UP, stepUpMaxAgeSeconds, type Access, type BeforeSecondFactorScope } from '../../common/access.decorators.js';
import { Clock } from '../../common/clock.js';
import { oncePerHandler } from '../../common/handlers.js';
import { isPermitted } from '../../common/permissions.js';
import type { Principal } from '../../common/principal.js';
import { Problem } from '../../common/problem.js';
import { SecurityEvents } from '../../common/security-events.js';

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

/** Functions are closed unless a permission opens them (ASVS v5.0.0-8.2.1). Which objects: the policies of the features. */
@Injectable()
export class AuthorizationGuard implements CanActivate {
  constructor(
    private readonly events: SecurityEvents,
    private readonly clock: Clock,
  ) {}

  canActivate(context: ExecutionContext): true {
    const { access, beforeSecondFactor, stepUp } = ruleOf(context.getHandler(), context.getClass());
    // The boot refuses undeclared handlers; one that got here all the same (added at run time) is closed.
    if (access === undefined) throw new Problem('forbidden');
    if (access.kind === 'public') return true;
    const { user: principal } = context.switchToHttp().getRequest<{ user?: Principal }>();
    if (principal === undefined) throw new Problem('unauthenticated');
    if (principal.factorDue && !isOpenBefore(beforeSecondFactor, principal)) throw this.refuse('second-factor-required', access.permission);
    if (!isPermitted(principal.roles, access.permission)) throw this.refuse('forbidden', access.permission);
    if (stepUp && !this.isFresh(principal)) throw this.refuse('step-up-required', access.permission);
    return true;
  }

  private isFresh({ authenticatedAt }: Principal): boolean {
    return this.clock.now().getTime() - authenticatedAt.getTime() <= stepUpMaxAgeSeconds * 1000;
  }

  private refuse(type: keyof typeof challenges, permission: string): Problem {
    const action = type === 'step-up-required' ? 'authn_step_up_required' : 'authz_fail';
    this.events.report({ action, outcome: 'denied', details: { permission, reason: type } });
    const challenge = challenges[type];
    return new Problem(type, undefined, challenge === undefined ? {} : { headers: { 'WWW-Authenticate': challenge } });
  }
}

const isOpenBefore = (scope: BeforeSecondFactorScope | undefined, { enrolmentDue }: Principal): boolean =>
  scope === 'any' || (scope === 'enrolment' && enrolmentDue);

/** What the client has to do to pass, in the words of RFC 9470. */
const challenges = {
  'forbidden': undefined,
  'second-factor-required': 'Bearer error="insufficient_user_authentication", acr_values="aal2"',
  'step-up-required': `Bearer error="insufficient_user_authentication", max_age="${stepUpMaxAgeSeconds}"`,
} as const;
