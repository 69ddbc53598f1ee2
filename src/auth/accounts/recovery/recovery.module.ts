// Threat: recovery as the weakest way in: guessed, replayed or forwarded tokens, a reset that skips the second factor,
// a list of accounts.
// Does: one token at a time, 15 minutes, once, bound to the address; no session arises, all end; one answer for all
// addresses.
// Does not: help whoever lost the mailbox or the second factor (recovery codes and administrators do).
// Remove: npm run remove recovery; a forgotten password then needs an operator.
import { Module } from '@nestjs/common';
import { UsersModule } from '../../../users/index.js';
import { OneTimeTokensModule } from '../../one-time-tokens/one-time-tokens.module.js';
import { OneTimeTokens } from '../../one-time-tokens/one-time-tokens.service.js';
import { PasswordModule } from '../../password/password.module.js';
import { SessionsModule } from '../../sessions/sessions.module.js';
import { passwordReset, PasswordResetService } from './password-reset.service.js';
import { RecoveryController } from './recovery.controller.js';

@Module({
  imports: [OneTimeTokensModule, PasswordModule, SessionsModule, UsersModule],
  controllers: [RecoveryController],
  providers: [PasswordResetService],
  exports: [PasswordResetService],
})
export class RecoveryModule {
  constructor(tokens: OneTimeTokens) {
    tokens.declare(passwordReset);
  }
}
