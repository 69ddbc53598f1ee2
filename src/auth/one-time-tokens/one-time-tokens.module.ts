// Threat: mailed tokens that are guessed, used twice, kept for later, or moved to another purpose, person or row.
// Does: 256 random bits per token; rows hold a MAC bound to flow, row and address; one answer for whatever is wrong.
// Does not: expire or use up rows; each flow does that in one statement of its own.
// Remove: with the last of registration, recovery and e-mail change.
import { Module } from '@nestjs/common';
import { OneTimeTokens } from './one-time-tokens.js';

@Module({ providers: [OneTimeTokens], exports: [OneTimeTokens] })
export class OneTimeTokensModule {}
