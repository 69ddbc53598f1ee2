// Threat: the address is the way back into an account: whoever changes it owns the account (ASVS v5.0.0-6.3.7, 7.5.1).
// Does: step-up, a token to each of both addresses, one transaction when both have agreed, all sessions end, the old
// address is told.
// Does not: undo a change that both mailboxes confirmed; an administrator has to.
// Remove: npm run remove email-change; addresses then stay for ever.
import { Module } from '@nestjs/common';
import { PersonalData } from '../../../common/events/personal-data.js';
import { UsersModule } from '../../../users/index.js';
import { OneTimeTokensModule } from '../../one-time-tokens/one-time-tokens.module.js';
import { OneTimeTokens } from '../../one-time-tokens/one-time-tokens.service.js';
import { SessionsModule } from '../../sessions/sessions.module.js';
import { EmailChangeController } from './email-change.controller.js';
import { emailChangeSection } from './email-change.export.js';
import { emailChange, EmailChangeService } from './email-change.service.js';

@Module({
  imports: [OneTimeTokensModule, SessionsModule, UsersModule],
  controllers: [EmailChangeController],
  providers: [EmailChangeService],
})
export class EmailChangeModule {
  constructor(tokens: OneTimeTokens, personalData: PersonalData, changes: EmailChangeService) {
    tokens.declare(emailChange);
    personalData.add(emailChangeSection, ({ userId }) => changes.pendingOf(userId));
  }
}
