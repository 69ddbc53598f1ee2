// Threat: an account in the hands of a thief that nobody can stop; an administrator (or whoever holds their session)
// who takes one over.
// Does: lock and open accounts, force a reset, end sessions of one or of all: after step-up, audited, at once on every
// instance.
// Does not: show or set a password, act on the caller's own account, lock the last administrator out, ask a second
// person.
// Remove: npm run remove administration; roles, locks and demands are then set by nobody but an operator with SQL.
import { Module } from '@nestjs/common';
import { ServesCommands } from '../../cli/index.js';
import { UsersModule } from '../../users/index.js';
import { SessionStatesModule } from '../authentication/authentication.module.js';
import { RecoveryModule } from '../accounts/recovery/recovery.module.js';
import { AdministrationController } from './administration.controller.js';
import { AdministrationRepository } from './administration.repository.js';
import { AdministrationService } from './administration.service.js';
import { ForcedResetService } from './forced-reset.service.js';
import { sessionsEnd } from './sessions-end.command.js';
import { usersDisable, usersEnable } from './users-lock.command.js';

/** What commands need: without guard and routes, but with what tells the running instances. */
@ServesCommands(usersDisable, usersEnable, sessionsEnd)
@Module({
  imports: [SessionStatesModule, UsersModule],
  providers: [AdministrationService, AdministrationRepository],
  exports: [AdministrationService, AdministrationRepository],
})
/** @public It is found by its decorator. */
export class AdministrationCommandsModule {}

@Module({
  imports: [AdministrationCommandsModule, RecoveryModule, UsersModule],
  controllers: [AdministrationController],
  providers: [ForcedResetService],
})
export class AdministrationModule {}
