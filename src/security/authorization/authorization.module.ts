// Threat: a function or a route that nobody thought to protect (OWASP API5).
// Does: deny by default; roles -> permissions by the table in common/permissions.ts; no boot with an undeclared route.
// Does not: decide about objects; that is the `where` of each statement, beside the feature.
// Remove: delete this folder and its line in app.module.ts. Object policies stay, permissions are no longer asked.
//   src/inventory/ names handlers that declare no access by this folder: take those lines out as well.
import { Module } from '@nestjs/common';
import { APP_GUARD, DiscoveryModule } from '@nestjs/core';
import { AuthorizationGuard } from './authorization.guard.js';
import { DeclaredAccess } from './declared-access.js';

@Module({
  imports: [DiscoveryModule],
  providers: [DeclaredAccess, { provide: APP_GUARD, useClass: AuthorizationGuard }],
})
export class AuthorizationModule {}
