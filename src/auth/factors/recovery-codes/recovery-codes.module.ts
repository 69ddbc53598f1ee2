// Threat: a lost phone that locks its owner out, and the weak way back in that is then asked for (ASVS v5.0.0-6.4.4,
// 6.5.1).
// Does: ten codes of 125 bits, shown once, stored as sealed hashes, each good for one sign-in after the password.
// Does not: replace the password, nor count as a second factor without another one.
// Remove: npm run remove recovery-codes; whoever enrols a factor then gets no codes with it.
import { Module } from '@nestjs/common';
import { ExposedCredentials } from '../../../common/access/exposed-credentials.js';
import { PersonalData } from '../../../common/events/personal-data.js';
import { SessionsModule } from '../../sessions/sessions.module.js';
import { FactorsService } from '../factors.service.js';
import { SecondFactors } from '../second-factors.js';
import { codePattern } from './recovery-code.js';
import { RecoveryCodeRepository } from './recovery-code.repository.js';
import { RecoveryCodesController } from './recovery-codes.controller.js';
import { recoveryCodesSection } from './recovery-codes.export.js';
import { recoveryCode, RecoveryCodesService } from './recovery-codes.service.js';

@Module({
  imports: [SessionsModule],
  controllers: [RecoveryCodesController],
  providers: [RecoveryCodeRepository, RecoveryCodesService],
})
export class RecoveryCodesModule {
  constructor(
    factors: FactorsService,
    secondFactors: SecondFactors,
    personalData: PersonalData,
    exposed: ExposedCredentials,
    repository: RecoveryCodeRepository,
    codes: RecoveryCodesService,
  ) {
    secondFactors.add(recoveryCode, async (userId) => (await repository.countUnused(userId)) > 0);
    factors.makeCodes = (userId, isFirstFactor) => codes.createWith(userId, isFirstFactor);
    personalData.add(recoveryCodesSection, ({ userId }) => repository.stateOf(userId));
    exposed.subscribe({
      kind: 'recovery codes that came with an access token',
      pattern: codePattern,
      revoke: (lookAlikes, text) => codes.revokeExposed(lookAlikes, text),
    });
  }
}
