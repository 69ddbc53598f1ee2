import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { OPEN_IN_LOCKDOWN } from '../../common/access/access.decorators.js';
import { Clock } from '../../common/clock.js';
import { defineAction, SecurityEvents } from '../../common/events/security-events.js';
import { Problem } from '../../common/http/problem.js';
import { Restrictions } from './restrictions.js';

const lockdownRefused = defineAction('response_write_refused');
const detail = 'The service only reads at the moment: operators look into an incident.';

const reading = new Set(['GET', 'HEAD', 'OPTIONS']);

/** In a lockdown nothing is written but what `@OpenInLockdown()` opens: an unknown route is closed. */
@Injectable()
export class LockdownGuard implements CanActivate {
  constructor(
    private readonly restrictions: Restrictions,
    private readonly events: SecurityEvents,
    private readonly clock: Clock,
  ) {}

  canActivate(context: ExecutionContext): true {
    const until = this.restrictions.lockdownUntil();
    if (until === undefined || isOpen(context)) return true;
    this.events.reportLater({ action: lockdownRefused, outcome: 'denied' });
    const seconds = Math.max(1, Math.ceil((until.getTime() - this.clock.now().getTime()) / 1000));
    throw new Problem('unavailable', detail, { headers: { 'retry-after': String(seconds) } });
  }
}

const isOpen = (context: ExecutionContext): boolean =>
  reading.has(context.switchToHttp().getRequest<FastifyRequest>().method) ||
  Reflect.getMetadata(OPEN_IN_LOCKDOWN, context.getHandler()) === true;
