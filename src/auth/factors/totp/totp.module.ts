// Threat: a password that somebody else knows (ASVS v5.0.0-6.3.3, SP 800-63B s3.1.4).
// Does: RFC 6238 codes of an authenticator app; sealed secrets; a code counts once on all instances; time from the
// server.
// Does not: resist phishing, as a passkey does: a code that is typed into a false page can be passed on within its
// minute.
// Remove: npm run remove totp; whoever has enrolled an app then signs in without it.
import { Module } from '@nestjs/common';
import { PersonalData } from '../../../common/events/personal-data.js';
import { UsersModule } from '../../../users/index.js';
import { SessionsModule } from '../../sessions/sessions.module.js';
import { SecondFactors } from '../second-factors.js';
import { TotpController } from './totp.controller.js';
import { totpSection } from './totp.export.js';
import { TotpRepository } from './totp.repository.js';
import { totp, TotpService } from './totp.service.js';

@Module({
  imports: [SessionsModule, UsersModule],
  controllers: [TotpController],
  providers: [TotpRepository, TotpService],
})
export class TotpModule {
  constructor(factors: SecondFactors, personalData: PersonalData, repository: TotpRepository) {
    factors.add(totp, async (userId) => (await repository.inUseSince(userId)) !== null);
    personalData.add(totpSection, async ({ userId }) => ({ inUseSince: await repository.inUseSince(userId) }));
  }
}
