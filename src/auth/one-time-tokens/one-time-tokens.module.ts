// Threat: tokens that are guessed, used twice, kept for later, or moved to another purpose, person or row.
// Does: 256 random bits per token; rows hold a MAC bound to purpose, row and address; one use, also in a race; expired
// rows go with later requests; whatever crossed the wire in clear is revoked; one answer for whatever is wrong.
// Does not: say what a token is for; each feature declares its own flow.
// Remove: not by itself; sign-ups need it, and a new password ends what was mailed for the old one.
import { Module } from '@nestjs/common';
import { ServesCommands } from '../../cli/index.js';
import { PersonalData } from '../../common/events/personal-data.js';
import { OneTimeTokenRepository } from './one-time-token.repository.js';
import { OneTimeTokens } from './one-time-tokens.service.js';

@ServesCommands()
@Module({ providers: [OneTimeTokenRepository, OneTimeTokens], exports: [OneTimeTokens] })
export class OneTimeTokensModule {
  constructor(personalData: PersonalData, tokens: OneTimeTokens) {
    personalData.onErasure((email) => tokens.deleteFor(email));
  }
}
