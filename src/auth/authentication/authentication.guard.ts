import { Inject, Injectable, type ExecutionContext } from '@nestjs/common';
import { AuthGuard } from '@nestjs/passport';
import type { FastifyRequest } from 'fastify';
import { ACCESS, type Access } from '../../common/access/access.decorators.js';
import { CredentialRefused, type RefusalReason } from '../../common/access/credential-refused.js';
import { oncePerHandler } from '../../common/http/handlers.js';
import { MachineAuthenticators } from '../../common/access/machine-authenticators.js';
import type { Person, Principal } from '../../common/access/principal.js';
import { RefusedCallers } from '../../common/access/refused-callers.js';
import { requestContext } from '../../common/http/request-context.js';
import { SecurityEvents } from '../../common/events/security-events.js';
import { AccessTokenStrategy } from './access-token.strategy.js';
import { AccessTokens, type AccessClaims } from './access-tokens.js';
import { bearerToken, assertNoStrayCredentials } from './bearer-token.js';
import { SessionStates } from './session-states.service.js';

const isPublic = oncePerHandler(
  (handler) => (Reflect.getMetadata(ACCESS, handler) as Access | undefined)?.kind === 'public',
);

/**
 * Nobody passes without a valid credential, unless the handler says `@Public()`; one that is sent must be valid. What
 * no machine's method recognises is taken for the access token of a person, which passport-jwt verifies.
 */
@Injectable()
export class AuthenticationGuard extends AuthGuard() {
  @Inject(RefusedCallers) private readonly refused: RefusedCallers;
  @Inject(MachineAuthenticators) private readonly machines: MachineAuthenticators;

  constructor(
    strategy: AccessTokenStrategy,
    private readonly tokens: AccessTokens,
    private readonly sessions: SessionStates,
    private readonly events: SecurityEvents,
  ) {
    super({ defaultStrategy: strategy.registeredAs, property: 'claims' });
  }

  override async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<FastifyRequest & { user?: Principal }>();
    try {
      assertNoStrayCredentials(request);
      const found = this.machines.find(request);
      const principal =
        found === undefined
          ? await this.person(request, context)
          : await found.by.authenticate(found.credential, request);
      if (principal === undefined) {
        if (isPublic(context.getHandler(), context.getClass())) return true;
        throw new CredentialRefused('missing');
      }
      request.user = principal;
      const running = requestContext();
      if (running !== undefined) running.principal = principal;
      return true;
    } catch (error) {
      if (!(error instanceof CredentialRefused)) throw error;
      this.events.reportLater({ action: 'authn_token_fail', outcome: 'denied', details: { reason: error.reason } });
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

  /** Undefined when the request carries no credential at all. */
  private async person(request: FastifyRequest, context: ExecutionContext): Promise<Person | undefined> {
    const token = bearerToken(request);
    if (token === undefined) return undefined;
    const claims = this.tokens.findVerified(token) ?? (await this.verify(context, token));
    const person = await this.sessions.principalOf(claims);
    if (person === undefined) throw new CredentialRefused('session-ended');
    return person;
  }

  private async verify(context: ExecutionContext, token: string): Promise<AccessClaims> {
    await this.tokens.learnKeyOf(token);
    await super.canActivate(context);
    const { claims } = this.getRequest(context) as { claims: AccessClaims };
    this.tokens.rememberVerified(token, claims);
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
