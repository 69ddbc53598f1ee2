// Threat: shares that nobody asked for; the service as a spam cannon; an answer that tells who has an account (A2-2, A6-2, A6-3).
// Does: offers a share to an address by mail; only whoever has that address accepts, once; caps; an end to all mail by one token.
// Does not: keep two people from inviting each other every day. Removed with this folder and its line, shares can no longer begin.
import { Module } from '@nestjs/common';
import { Cursors } from '../common/cursors.js';
import { PersonalData } from '../common/personal-data.js';
import { ResourcesModule } from '../resources/index.js';
import { InvitationExport } from './invitation-export.js';
import { InvitationMails } from './invitation-mails.js';
import { InvitationsController } from './invitations.controller.js';
import { InvitationsRepository } from './invitations.repository.js';
import { InvitationsService } from './invitations.service.js';
import { InvitedAddressesRepository } from './invited-addresses.repository.js';
import { Offers } from './offers.js';
import { OptOutTokens } from './opt-out-tokens.js';
import { OptOuts } from './opt-outs.js';
import { SentInvitationsController } from './sent-invitations.controller.js';
import { SentInvitationsService } from './sent-invitations.service.js';

@Module({
  imports: [ResourcesModule],
  controllers: [InvitationsController, SentInvitationsController],
  providers: [Cursors, InvitationExport, InvitationMails, InvitationsRepository, InvitationsService, InvitedAddressesRepository, Offers, OptOutTokens, OptOuts, SentInvitationsService],
})
export class InvitationsModule {
  constructor(personalData: PersonalData, invitations: InvitationExport) {
    personalData.add('invitations', (principal) => invitations.read(principal));
  }
}
