import { Inject, Injectable, type ExecutionContext } from '@nestjs/common';
import { AuthGuard } from '@nestjs/passport';
import type { FastifyRequest } from 'fastify';
import { ACCESS, type Access } from '../../common/access.decorators.js';
import { oncePerHandler } from '../../common/handlers.js';
import type { Principal } from '../../common/principal.js';
import { RefusedCallers } from '../../common/refused-callers.js';
import { requestContext } from '../../common/request-context.js';
import { SecurityEvents } from '../../common/security-events.js';
import { AccessTokenStrategy } from './access-token.strategy.js';
import { AccessTokens, type AccessClaims } from './access-tokens.js';
import { bearerToken } from './bearer-token.js';
import { SessionStates } from './session-states.js';
import { CredentialRefused, type RefusalReason } from './unauthenticated.js';
import { VerifiedTokens } from './verified-tokens.js';

const isPublic = oncePerHandler((handler) => (Reflect.getMetadata(ACCESS, handler) as Access | undefined)?.kind === 'public');

/** Nobody passes without a valid access token, unless the handler says `@Public()`; a token that is sent must be valid. */
@Injectable()
export class AuthenticationGuard extends AuthGuard() {
  @Inject(RefusedCallers) private readonly refused: RefusedCallers;

  constructor(
    strategy: AccessTokenStrategy,
    private readonly tokens: AccessTokens,
    private readonly verified: VerifiedTokens,
    private readonly sessions: SessionStates,
    private readonly events: SecurityEvents,
  ) {
    super({ defaultStrategy: strategy.registeredAs, property: 'claims' });
  }

  override async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<FastifyRequest & { user?: Principal }>();
    try {
      const token = bearerToken(request);
      if (token === undefined) {
        if (isPublic(context.getHandler(), context.getClass())) return true;
        throw new CredentialRefused('missing');
      }
      const claims = this.verified.find(token) ?? (await this.verify(context, token));
      const principal = await this.sessions.principalOf(claims);
      if (principal === undefined) throw new CredentialRefused('session-ended');
      request.user = principal;
      const running = requestContext();
      if (running !== undefined) running.principal = principal;
      return true;
    } catch (error) {
      if (!(error instanceof CredentialRefused)) throw error;
      this.events.report({ action: 'authn_token_fail', outcome: 'denied', details: { reason: error.reason } });
      await this.refused.count(context);
      throw error.toProblem();
    }
  }

  /** Called by passport with its verdict: a refusal is an `info`, an `error` is a fault of ours. */
  override handleRequest<T>(error: unknown, claims: T | false, info: unknown): T {
    if (error) throw error;
    if (claims === false) throw info instanceof CredentialRefused ? info : new CredentialRefused(reasonOf(info));
    return claims;
  }

  private async verify(context: ExecutionContext, token: string): Promise<AccessClaims> {
    await this.tokens.learnKeyOf(token);
    await super.canActivate(context);
    const { claims } = this.getRequest(context) as { claims: AccessClaims };
    this.verified.remember(token, claims);
    return claims;
  }
}

/** jsonwebtoken's words -> ours. Its messages may quote the token, so none of them is kept. */
function reasonOf(info: unknown): RefusalReason {
  if (!(info instanceof Error)) return 'malformed';
  if (info.name === 'TokenExpiredError') return 'expired';
  if (info.name === 'NotBeforeError') return 'not-yet-valid';
  if (info.message === 'invalid signature') return 'signature';
  if (info.message.startsWith('jwt issuer')) return 'issuer';
  return info.message.startsWith('jwt audience') ? 'audience' : 'malformed';
}
