// Threat: phishing, guessing and stuffing of what people know; keys planted in the database (ASVS v5.0.0-6.3.3, 6.7.1).
// Does: WebAuthn with user verification, sign-in without a user name, sealed keys, challenges that count once, counters.
// Does not: ask what kind of device holds the key (no attestation); tell a synced copy of a passkey from its original.
// Remove: this folder, its line, and the page in src/api-docs; people then sign in by the methods that are left.
import { Module } from '@nestjs/common';
import { PersonalData } from '../../common/personal-data.js';
import { RecoveryCodesModule } from '../recovery-codes/index.js';
import { SecondFactors, SessionsModule } from '../sessions/index.js';
import { ExposedPasskeyAnswers } from './exposed-passkey-answers.js';
import { PasskeyChallenges } from './passkey-challenges.js';
import { PasskeyRegistrations } from './passkey-registrations.js';
import { PasskeySignInController } from './passkey-sign-in.controller.js';
import { PasskeySignIns } from './passkey-sign-ins.js';
import { PasskeyRepository } from './passkey.repository.js';
import { PasskeysController } from './passkeys.controller.js';
import { Passkeys } from './passkeys.js';
import { RelatedOriginsController } from './related-origins.controller.js';
import { RelyingParty } from './relying-party.js';

@Module({
  imports: [SessionsModule, RecoveryCodesModule],
  controllers: [PasskeysController, PasskeySignInController, RelatedOriginsController],
  providers: [Passkeys, PasskeyRegistrations, PasskeySignIns, PasskeyChallenges, ExposedPasskeyAnswers, PasskeyRepository, RelyingParty],
})
export class PasskeysModule {
  constructor(factors: SecondFactors, personalData: PersonalData, passkeys: PasskeyRepository) {
    factors.add('passkey', (userId) => passkeys.existsFor(userId));
    personalData.add('passkeys', ({ userId }) => passkeys.listOf(userId));
  }
}
