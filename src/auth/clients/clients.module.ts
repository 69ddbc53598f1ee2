// Threat: programs that call with a long-lived secret, or may more than they need (ASVS v5.0.0-10.4.11, 10.4.16).
// Does: OAuth 2.0 client_credentials by `oidc-provider`; clients prove who they are by their key; tokens of minutes,
// bound to a key where the client wants it; what a client may is asked at each request.
// Does not: sign people in; let clients register themselves; keep a person's rights in a token.
// Remove: npm run remove clients; programs then call by the other methods of machines, if there are any.
import { Module } from '@nestjs/common';
import { ServesCommands } from '../../cli/index.js';
import { Cursors } from '../../common/http/cursors.js';
import { UsersModule } from '../../users/index.js';
import { AuthenticationModule, SessionStatesModule } from '../authentication/authentication.module.js';
import { SigningKeysModule } from '../signing-keys/signing-keys.module.js';
import { AuthorizationServer } from './authorization-server.js';
import { ClientAuthenticator } from './client-authenticator.js';
import { ClientRepository } from './client.repository.js';
import { clientsCommands } from './clients.command.js';
import { ClientsController } from './clients.controller.js';
import { ClientsService } from './clients.service.js';
import { OAuthController } from './oauth.controller.js';

/** What commands need: without guard and routes, but with what tells the running instances. */
@ServesCommands(...clientsCommands)
@Module({
  imports: [SessionStatesModule, UsersModule],
  providers: [ClientRepository, ClientsService, Cursors],
  exports: [ClientRepository, ClientsService],
})
/** @public It is found by its decorator. */
export class ClientsCommandsModule {}

@Module({
  imports: [AuthenticationModule, ClientsCommandsModule, SigningKeysModule],
  controllers: [ClientsController, OAuthController],
  providers: [AuthorizationServer, ClientAuthenticator],
})
export class ClientsModule {}
