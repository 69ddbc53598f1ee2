// Threat: a lost phone that locks its owner out, and the weak way back in that is then asked for (ASVS v5.0.0-6.4.4, 6.5.1).
// Does: ten codes of 125 bits, shown once, stored as sealed hashes, each good for one sign-in after the password.
// Does not: replace the password, nor count as a second factor without another one.
// Remove: this folder, its line in app.module.ts, and the codes that auth/totp and auth/passkeys answer with at a first enrolment.
import { Module } from '@nestjs/common';
import { PersonalData } from '../../common/personal-data.js';
import { SecondFactors, SessionsModule } from '../sessions/index.js';
import { ExposedRecoveryCodes } from './exposed-recovery-codes.js';
import { RecoveryCodeRepository } from './recovery-code.repository.js';
import { RecoveryCodesController } from './recovery-codes.controller.js';
import { RecoveryCodes } from './recovery-codes.js';

@Module({
  imports: [SessionsModule],
  controllers: [RecoveryCodesController],
  providers: [RecoveryCodes, RecoveryCodeRepository, ExposedRecoveryCodes],
  exports: [RecoveryCodes],
})
export class RecoveryCodesModule {
  constructor(factors: SecondFactors, personalData: PersonalData, codes: RecoveryCodeRepository) {
    factors.add('recovery-code', async (userId) => (await codes.countUnused(userId)) > 0);
    personalData.add('recoveryCodes', ({ userId }) => codes.stateOf(userId));
  }
}
