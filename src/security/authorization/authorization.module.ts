// Threat: a function or a route that nobody thought to protect (OWASP API5).
// Does: deny by default; roles -> permissions as each feature declares them; no boot with an undeclared route.
// Does not: decide about objects; that is the `where` of each statement, beside the feature.
// Remove: not by itself; every @Can() counts on it: whoever is signed in could do what administrators may.
import { Module } from '@nestjs/common';
import { APP_GUARD, DiscoveryModule } from '@nestjs/core';
import { AuthorizationGuard } from './authorization.guard.js';
import { DeclaredAccess } from './declared-access.js';

@Module({
  imports: [DiscoveryModule],
  providers: [DeclaredAccess, { provide: APP_GUARD, useClass: AuthorizationGuard }],
})
export class AuthorizationModule {}
