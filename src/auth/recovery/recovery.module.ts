// Threat: recovery as the weakest way in: guessed, replayed or forwarded tokens, a reset that skips the second factor, a list of accounts.
// Does: one token at a time, 15 minutes, once, bound to the address; no session arises, all end; one answer for all addresses.
// Does not: help whoever lost the mailbox or the second factor (recovery codes and administrators do).
// Remove: this folder and its line; a forgotten password then needs an administrator.
import { Module } from '@nestjs/common';
import { OneTimeTokensModule } from '../one-time-tokens/one-time-tokens.module.js';
import { PasswordModule } from '../password/index.js';
import { SessionsModule } from '../sessions/index.js';
import { ExposedResets } from './exposed-resets.js';
import { RecoveryMails } from './recovery-mails.js';
import { RecoveryController } from './recovery.controller.js';
import { Recovery } from './recovery.js';
import { ResetRepository } from './reset.repository.js';
import { Resetting } from './resetting.js';

@Module({
  imports: [OneTimeTokensModule, PasswordModule, SessionsModule],
  controllers: [RecoveryController],
  providers: [Recovery, Resetting, ExposedResets, RecoveryMails, ResetRepository],
  exports: [Recovery],
})
export class RecoveryModule {}
