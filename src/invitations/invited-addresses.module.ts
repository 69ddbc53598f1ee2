import { Module } from '@nestjs/common';
import { ServesCommands } from '../cli/index.js';
import { PersonalData } from '../common/events/personal-data.js';
import { InvitedAddressesRepository } from './invited-addresses.repository.js';

/** Commands need it too, without routes: whoever erases a person erases what was sent to their address. */
@ServesCommands()
@Module({ providers: [InvitedAddressesRepository], exports: [InvitedAddressesRepository] })
export class InvitedAddressesModule {
  constructor(personalData: PersonalData, addresses: InvitedAddressesRepository) {
    personalData.onErasure((email) => addresses.forget(email));
  }
}
