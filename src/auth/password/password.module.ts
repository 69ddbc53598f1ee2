// Threat: guessing, stuffing, leaked passwords, and accounts told apart by answers or timing (OWASP API2, ASVS
// v5.0.0-V6).
// Does: argon2id behind a gate, sealed hashes, one answer and equal work for whatever is wrong, policy of SP 800-63B.
// Does not: slow down per account (rate limiting does), or recover a forgotten password, which is a part of its own.
// Remove: not by itself; registration sets passwords, and every other method begins beside one.
import { Module } from '@nestjs/common';
import { SecondFactors } from '../factors/second-factors.js';
import { OneTimeTokensModule } from '../one-time-tokens/one-time-tokens.module.js';
import { SessionsModule } from '../sessions/sessions.module.js';
import { CredentialRepository } from './credential.repository.js';
import { PasswordPolicy } from './password-policy.js';
import { LoginController, PasswordChangeController } from './password.controller.js';
import { PasswordsService } from './passwords.service.js';

@Module({
  imports: [OneTimeTokensModule, SessionsModule],
  controllers: [LoginController, PasswordChangeController],
  providers: [PasswordsService, PasswordPolicy, CredentialRepository],
  exports: [PasswordsService, PasswordPolicy],
})
export class PasswordModule {
  constructor(factors: SecondFactors, credentials: CredentialRepository) {
    factors.addWay('password', async (userId) => (await credentials.find(userId)) !== null);
  }
}
