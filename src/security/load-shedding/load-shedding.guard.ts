import { randomInt } from 'node:crypto';
import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Principal } from '../../common/access/principal.js';
import { Problem } from '../../common/http/problem.js';
import { loadBounds } from './bounds.js';
import { Load } from './load.js';

/** Some seconds, not the same for all: they must not come back together. */
const retryAfter = (): string => String(randomInt(2, 7));

/**
 * Refuses before the handler begins, and guests first: whoever is signed in goes on working while strangers flood
 * (ASVS v5.0.0-15.2.2). Health is asked on the internal listener, which has no guards.
 */
@Injectable()
export class LoadSheddingGuard implements CanActivate {
  readonly shed = { 'guest': 0, 'signed-in': 0 };

  constructor(private readonly load: Load) {}

  canActivate(context: ExecutionContext): true {
    const { delayMs } = this.load;
    if (delayMs < loadBounds.guests) return true;
    const { user } = context.switchToHttp().getRequest<FastifyRequest & { readonly user?: Principal }>();
    if (user !== undefined && delayMs < loadBounds.everybody) return true;
    this.shed[user === undefined ? 'guest' : 'signed-in']++;
    this.load.warn();
    throw new Problem('unavailable', 'The service is overloaded.', { headers: { 'Retry-After': retryAfter() } });
  }
}
