// Threat: an attack that everybody sees, and that nobody can stop before a deployment (OWASP API9, practice 11.3).
// Does: blocks networks and keeps the service from writing, for a time, on every instance within a second; makes of the
// operator commands of all parts responses that ask for a reason; every step is audited with operator and reason.
// Does not: decide by itself; stop a flood before it reaches the machine, which is the network's part.
// Also: scripts/drill.ts, scripts/drill.
// Remove: npm run remove response; operators have the commands of each part, and stop the service for all else.
import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { deriveCommands, ServesCommands } from '../../cli/index.js';
import { accountable, responsesOf } from './accountable.js';
import { LockdownGuard } from './lockdown.guard.js';
import { respondStatus, restrictingCommands } from './response.commands.js';
import { ResponseService } from './response.service.js';
import { Restrictions } from './restrictions.js';
import { RestrictionsRepository } from './restrictions.repository.js';

deriveCommands(responsesOf);

/** What commands need: without guard and timer. */
@ServesCommands(respondStatus, ...restrictingCommands.map((command) => accountable(command)))
@Module({ providers: [ResponseService, RestrictionsRepository], exports: [ResponseService, RestrictionsRepository] })
/** @public It is found by its decorator. */
export class ResponseCommandsModule {}

/** Stands before rate limiting in app.module.ts: who is blocked uses up nobody's limits. */
@Module({
  imports: [ResponseCommandsModule],
  providers: [Restrictions, { provide: APP_GUARD, useClass: LockdownGuard }],
})
export class ResponseModule {}
