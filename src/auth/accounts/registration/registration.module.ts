// Threat: accounts for other people's addresses, made before they come (pre-hijacking), and a list of who has an
// account.
// Does: no user before the mailed token was used; whoever holds the token chooses password and name; one answer for
// all.
// Does not: keep robots from using addresses of their own; the limits of the class `mail` slow them down.
// Remove: not by itself; it is how people come in. Whoever makes accounts otherwise replaces this folder.
import { Module } from '@nestjs/common';
import { UsersModule } from '../../../users/index.js';
import { OneTimeTokensModule } from '../../one-time-tokens/one-time-tokens.module.js';
import { OneTimeTokens } from '../../one-time-tokens/one-time-tokens.service.js';
import { PasswordModule } from '../../password/password.module.js';
import { RegistrationController } from './registration.controller.js';
import { registration, RegistrationService } from './registration.service.js';

@Module({
  imports: [OneTimeTokensModule, PasswordModule, UsersModule],
  controllers: [RegistrationController],
  providers: [RegistrationService],
})
export class RegistrationModule {
  constructor(tokens: OneTimeTokens) {
    tokens.declare(registration);
  }
}
