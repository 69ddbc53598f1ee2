// Threat: calls by somebody who is not who they claim to be, or no longer may (OWASP API2).
// Does: one global guard; passport-jwt with every choice pinned; the session is asked at each request, so that logout,
// role change and disabling act at once on all instances.
// Does not: decide who may do what (security/authorization), or how people prove who they are (the folders beside it).
// Remove: not by itself; without it every route that is not @Public answers 401, because no principal is known.
import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { SessionRepository } from '../sessions/session.repository.js';
import { SigningKeysModule } from '../signing-keys/signing-keys.module.js';
import { AccessTokenStrategy } from './access-token.strategy.js';
import { AccessTokens } from './access-tokens.js';
import { AuthenticationGuard } from './authentication.guard.js';
import { SessionStates } from './session-states.service.js';

/** What commands need: sessions as they are stored, and what tells the running instances of their end. */
@Module({ providers: [SessionRepository, SessionStates], exports: [SessionRepository, SessionStates] })
export class SessionStatesModule {}

@Module({
  imports: [SessionStatesModule, SigningKeysModule],
  providers: [AccessTokens, AccessTokenStrategy, { provide: APP_GUARD, useClass: AuthenticationGuard }],
  exports: [AccessTokens, SessionStatesModule],
})
export class AuthenticationModule {}
