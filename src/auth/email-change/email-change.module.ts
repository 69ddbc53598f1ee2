// Threat: the address is the way back into an account: whoever changes it owns the account (ASVS v5.0.0-6.3.7, 7.5.1).
// Does: step-up, a token to each of both addresses, one transaction when both have agreed, all sessions end, the old address is told.
// Does not: undo a change that both mailboxes confirmed; an administrator has to.
// Remove: this folder and its line; addresses then stay for ever.
import { Module } from '@nestjs/common';
import { PersonalData } from '../../common/personal-data.js';
import { OneTimeTokensModule } from '../one-time-tokens/one-time-tokens.module.js';
import { SessionsModule } from '../sessions/index.js';
import { EmailChangeMails } from './email-change-mails.js';
import { EmailChangeController } from './email-change.controller.js';
import { EmailChangeRepository } from './email-change.repository.js';
import { EmailChanges } from './email-changes.js';
import { EmailConfirmations } from './email-confirmations.js';
import { ExposedEmailChanges } from './exposed-email-changes.js';

@Module({
  imports: [OneTimeTokensModule, SessionsModule],
  controllers: [EmailChangeController],
  providers: [EmailChanges, EmailConfirmations, ExposedEmailChanges, EmailChangeMails, EmailChangeRepository],
})
export class EmailChangeModule {
  constructor(personalData: PersonalData, repository: EmailChangeRepository) {
    personalData.add('emailChange', ({ userId }) => repository.exportOf(userId));
  }
}
