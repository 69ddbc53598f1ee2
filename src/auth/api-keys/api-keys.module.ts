// Threat: programs that call with a person's password or session; keys without end, with every right, in logs and
// repositories; keys that somebody plants in the database (ASVS v5.0.0-13.2.1, OWASP API2).
// Does: keys with scopes, an end, address ranges and successors, shown once; stored as a MAC; cut to what the owner may
// now; revoked at once, also when one is seen in an address or over plain HTTP.
// Does not: prove that the caller is whom the key was made for; mutual TLS does.
// Remove: npm run remove api-keys; programs then call by the other methods of machines, if there are any.
// Also: bench/api-keys.ts.
import { Module } from '@nestjs/common';
import { ServesCommands } from '../../cli/index.js';
import { PersonalData } from '../../common/events/personal-data.js';
import { UsersModule } from '../../users/index.js';
import { SessionStatesModule } from '../authentication/authentication.module.js';
import { ApiKeyAuthenticator } from './api-key-authenticator.js';
import { ApiKeyUpkeep } from './api-key-upkeep.js';
import { ApiKeyRepository } from './api-key.repository.js';
import { apiKeysList, apiKeysRevoke, apiKeysTier } from './api-keys.command.js';
import { ApiKeysController, ServiceKeysController } from './api-keys.controller.js';
import { apiKeysSection } from './api-keys.export.js';
import { ApiKeysService } from './api-keys.service.js';
import { ExposedKeys } from './exposed-keys.js';

/** What commands need. */
@ServesCommands(apiKeysRevoke, apiKeysList, apiKeysTier)
@Module({
  imports: [SessionStatesModule, UsersModule],
  providers: [ApiKeysService, ApiKeyRepository],
  exports: [ApiKeysService, ApiKeyRepository],
})
/** @public It is found by its decorator. */
export class ApiKeysCommandsModule {}

@Module({
  imports: [ApiKeysCommandsModule],
  controllers: [ApiKeysController, ServiceKeysController],
  providers: [ApiKeyAuthenticator, ApiKeyUpkeep, ExposedKeys],
})
export class ApiKeysModule {
  constructor(personalData: PersonalData, repository: ApiKeyRepository) {
    personalData.add(apiKeysSection, ({ userId }) => repository.list({ userId }));
  }
}
