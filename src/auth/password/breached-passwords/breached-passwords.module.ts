// Threat: a password that is strong, and known from a breach of another service (ASVS v5.0.0-6.2.12).
// Does: asks a list by five digits of a hash, where BREACHED_PASSWORDS_URL is set.
// Does not: refuse anybody while the list does not answer; the offline list counts always.
// Remove: npm run remove breached-passwords; the offline list is then the only one.
import { Module } from '@nestjs/common';
import { PasswordPolicy } from '../password-policy.js';
import { PasswordModule } from '../password.module.js';
import { BreachedPasswords } from './breached-passwords.js';

@Module({ imports: [PasswordModule], providers: [BreachedPasswords] })
export class BreachedPasswordsModule {
  constructor(policy: PasswordPolicy, breached: BreachedPasswords) {
    policy.addRule({
      code: 'breached',
      reason: 'is known from a breach of another service',
      applies: (password) => breached.has(password),
    });
  }
}
