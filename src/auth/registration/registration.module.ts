// Threat: accounts for other people's addresses, made before they come (pre-hijacking), and a list of who has an account.
// Does: no user before the mailed token was used; whoever holds the token chooses password and name; one answer for all.
// Does not: keep robots from using addresses of their own; the limits of the class `mail` slow them down.
// Remove: this folder and its line; people must then come from elsewhere.
import { Module } from '@nestjs/common';
import { OneTimeTokensModule } from '../one-time-tokens/one-time-tokens.module.js';
import { PasswordModule } from '../password/index.js';
import { ExposedRegistrations } from './exposed-registrations.js';
import { RegistrationMails } from './registration-mails.js';
import { RegistrationController } from './registration.controller.js';
import { RegistrationRepository } from './registration.repository.js';
import { Registrations } from './registrations.js';
import { Verification } from './verification.js';

@Module({
  imports: [OneTimeTokensModule, PasswordModule],
  controllers: [RegistrationController],
  providers: [Registrations, Verification, ExposedRegistrations, RegistrationMails, RegistrationRepository],
})
export class RegistrationModule {}
