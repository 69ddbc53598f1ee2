// Threat: shares that nobody asked for; the service as a spam cannon; an answer that tells who has an account (A2-2,
// A6-2, A6-3).
// Does: offers a share to an address by mail; only whoever has that address accepts, once; caps; an end to all mail by
// one token.
// Does not: keep two people from inviting each other every day.
// Remove: npm run remove invitations; shares can then no longer begin.
// Also: docs/http/sharing.http.
import { Module } from '@nestjs/common';
import { Cursors } from '../common/http/cursors.js';
import { PersonalData } from '../common/events/personal-data.js';
import { ResourcesModule } from '../resources/index.js';
import { InvitationExport } from './invitation-export.js';
import { InvitationsController } from './invitations.controller.js';
import { invitationsSection } from './invitations.export.js';
import { InvitationsRepository } from './invitations.repository.js';
import { InvitationsService } from './invitations.service.js';
import { InvitedAddressesModule } from './invited-addresses.module.js';
import { Offers } from './offers.js';
import { OptOutTokens } from './opt-out-tokens.js';
import { OptOuts } from './opt-outs.js';
import { SentInvitationsController } from './sent-invitations.controller.js';
import { SentInvitationsService } from './sent-invitations.service.js';

@Module({
  imports: [InvitedAddressesModule, ResourcesModule],
  controllers: [InvitationsController, SentInvitationsController],
  providers: [
    Cursors,
    InvitationExport,
    InvitationsRepository,
    InvitationsService,
    Offers,
    OptOutTokens,
    OptOuts,
    SentInvitationsService,
  ],
})
export class InvitationsModule {
  constructor(personalData: PersonalData, invitations: InvitationExport) {
    personalData.add(invitationsSection, (principal) => invitations.read(principal));
  }
}
