// Threat: an account in the hands of a thief that nobody can stop; an administrator (or whoever holds their session) who takes one over.
// Does: lock and open accounts, force a reset, end sessions of one or of all: after step-up, audited, at once on every instance.
// Does not: show or set a password, act on the caller's own account, lock the last administrator out, ask a second person.
// Remove: this folder, its lines in app.module.ts and cli/operator.module.ts, and the three commands in cli/commands.ts.
import { Module } from '@nestjs/common';
import { UsersModule } from '../../users/index.js';
import { AuthenticationModule } from '../authentication/authentication.module.js';
import { SessionStateRepository } from '../authentication/session-state.repository.js';
import { SessionStates } from '../authentication/session-states.js';
import { RecoveryModule } from '../recovery/recovery.module.js';
import { AccountLocks } from './account-locks.js';
import { AdministrationController } from './administration.controller.js';
import { AdministrationRepository } from './administration.repository.js';
import { ForcedResets } from './forced-resets.js';
import { ForcedSignOuts } from './forced-sign-outs.js';

@Module({
  imports: [AuthenticationModule, RecoveryModule, UsersModule],
  controllers: [AdministrationController],
  providers: [AccountLocks, ForcedResets, ForcedSignOuts, AdministrationRepository],
})
export class AdministrationModule {}

/** What commands need: without guard and routes, but with what tells the running instances. */
@Module({
  imports: [UsersModule],
  providers: [AccountLocks, ForcedSignOuts, AdministrationRepository, SessionStates, SessionStateRepository],
  exports: [AccountLocks, ForcedSignOuts],
})
export class AdministrationCommandsModule {}
