// Threat: answers of a provider that were not meant for this browser, this service or this person (ASVS v5.0.0-V10.5,
// RFC 9700); an account that is taken over because an address is the same.
// Does: code flow with PKCE, state, nonce and one callback per provider; identity is issuer and subject; logout from
// the provider.
// Does not: sign people out at the provider; call its API: no token of it is kept.
// Remove: npm run remove oidc; people then sign in by the methods that are left.
import { Module } from '@nestjs/common';
import { PersonalData } from '../../common/events/personal-data.js';
import { UsersModule } from '../../users/index.js';
import { SecondFactors } from '../factors/second-factors.js';
import { OneTimeTokensModule } from '../one-time-tokens/one-time-tokens.module.js';
import { SessionsModule } from '../sessions/sessions.module.js';
import { IdentitiesService } from './identities.service.js';
import { IdentityProviders } from './identity-providers.js';
import { IdentityRepository } from './identity.repository.js';
import { IdentitiesController, OidcController } from './oidc.controller.js';
import { identitiesSection } from './oidc.export.js';
import { OidcService } from './oidc.service.js';
import { Transactions } from './transactions.js';

@Module({
  imports: [OneTimeTokensModule, SessionsModule, UsersModule],
  controllers: [OidcController, IdentitiesController],
  providers: [IdentitiesService, IdentityProviders, IdentityRepository, OidcService, Transactions],
})
export class OidcModule {
  constructor(factors: SecondFactors, personalData: PersonalData, identities: IdentityRepository) {
    factors.addWay('oidc', async (userId) => (await identities.countOf(userId)) > 0);
    personalData.add(identitiesSection, (principal) => identities.listOf(principal));
  }
}
