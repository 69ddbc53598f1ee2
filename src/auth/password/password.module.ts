// Threat: guessing, stuffing, leaked passwords, and accounts told apart by answers or timing (OWASP API2, ASVS v5.0.0-V6).
// Does: argon2id behind a gate, sealed hashes, one answer and equal work for whatever is wrong, policy of SP 800-63B, breached passwords.
// Does not: slow down per account (security/rate-limiting does), or recover a forgotten password (auth/recovery does).
// Remove: this folder and its line, when another method takes over; auth/registration and auth/recovery set passwords and go with it.
import { Module } from '@nestjs/common';
import { KnownDevices } from '../../common/known-devices.js';
import { EgressModule } from '../../egress/index.js';
import { SessionsModule } from '../sessions/index.js';
import { BreachedPasswords } from './breached-passwords.js';
import { CredentialRepository } from './credential.repository.js';
import { LoginController } from './login.controller.js';
import { PasswordChange } from './password-change.js';
import { PasswordChangeController } from './password-change.controller.js';
import { PasswordPolicy } from './password-policy.js';
import { PasswordStrength } from './password-strength.js';
import { Passwords } from './passwords.js';

@Module({
  imports: [SessionsModule, EgressModule],
  controllers: [LoginController, PasswordChangeController],
  providers: [KnownDevices, Passwords, PasswordChange, PasswordPolicy, PasswordStrength, BreachedPasswords, CredentialRepository],
  exports: [Passwords],
})
export class PasswordModule {}
