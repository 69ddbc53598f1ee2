// Threat: a password that somebody else knows (ASVS v5.0.0-6.3.3, SP 800-63B s3.1.4).
// Does: RFC 6238 codes of an authenticator app; sealed secrets; a code counts once on all instances; time from the server.
// Does not: resist phishing, as a passkey does: a code that is typed into a false page can be passed on within its minute.
// Remove: this folder and its line in app.module.ts. Who has enrolled an app then signs in without it.
import { Module } from '@nestjs/common';
import { PersonalData } from '../../common/personal-data.js';
import { RecoveryCodesModule } from '../recovery-codes/index.js';
import { SecondFactors, SessionsModule } from '../sessions/index.js';
import { AuthenticatorApp } from './authenticator-app.js';
import { TotpController } from './totp.controller.js';
import { Totp } from './totp.js';
import { TotpRepository } from './totp.repository.js';

@Module({
  imports: [SessionsModule, RecoveryCodesModule],
  controllers: [TotpController],
  providers: [Totp, TotpRepository, AuthenticatorApp],
})
export class TotpModule {
  constructor(factors: SecondFactors, personalData: PersonalData, repository: TotpRepository) {
    factors.add('totp', async (userId) => (await repository.inUseSince(userId)) !== null);
    personalData.add('totp', async ({ userId }) => ({ inUseSince: await repository.inUseSince(userId) }));
  }
}
