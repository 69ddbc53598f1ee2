// Threat: phishing, guessing and stuffing of what people know; keys planted in the database (ASVS v5.0.0-6.3.3, 6.7.1).
// Does: WebAuthn with user verification, sign-in without a user name, sealed keys, challenges that count once,
// counters.
// Does not: ask what kind of device holds the key (no attestation); tell a synced copy of a passkey from its original.
// Remove: npm run remove passkeys; people then sign in by the methods that are left.
import { Module } from '@nestjs/common';
import { ExposedCredentials } from '../../../common/access/exposed-credentials.js';
import { PersonalData } from '../../../common/events/personal-data.js';
import { UsersModule } from '../../../users/index.js';
import { OneTimeTokensModule } from '../../one-time-tokens/one-time-tokens.module.js';
import { SessionsModule } from '../../sessions/sessions.module.js';
import { SecondFactors } from '../second-factors.js';
import { PasskeyRepository } from './passkey.repository.js';
import { PasskeysController, PasskeySignInController, RelatedOriginsController } from './passkeys.controller.js';
import { passkeysSection } from './passkeys.export.js';
import { passkeyFactor, PasskeysService } from './passkeys.service.js';
import { challengePattern, RelyingParty } from './relying-party.js';

@Module({
  imports: [OneTimeTokensModule, SessionsModule, UsersModule],
  controllers: [PasskeysController, PasskeySignInController, RelatedOriginsController],
  providers: [PasskeyRepository, PasskeysService, RelyingParty],
})
export class PasskeysModule {
  constructor(
    factors: SecondFactors,
    personalData: PersonalData,
    exposed: ExposedCredentials,
    passkeys: PasskeyRepository,
    relyingParty: RelyingParty,
  ) {
    factors.add(passkeyFactor, (userId) => passkeys.existsFor(userId));
    factors.addWay('passkey', (userId) => passkeys.existsFor(userId));
    personalData.add(passkeysSection, ({ userId }) => passkeys.listOf(userId));
    exposed.subscribe({
      kind: 'answers of passkeys',
      pattern: challengePattern,
      revoke: (challenges) => relyingParty.revokeExposed(challenges),
    });
  }
}
