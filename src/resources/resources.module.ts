import { Module } from '@nestjs/common';
import { Cursors, inPieces } from '../common/cursors.js';
import { PersonalData } from '../common/personal-data.js';
import { ResourcesController } from './resources.controller.js';
import { ResourcesRepository } from './resources.repository.js';
import { ResourcesService } from './resources.service.js';
import { SharesController } from './shares.controller.js';
import { SharesRepository } from './shares.repository.js';
import { SharesService } from './shares.service.js';

@Module({
  controllers: [ResourcesController, SharesController],
  providers: [Cursors, ResourcesRepository, ResourcesService, SharesRepository, SharesService],
  exports: [SharesService],
})
export class ResourcesModule {
  constructor(personalData: PersonalData, resources: ResourcesRepository) {
    personalData.add('resources', (principal) => inPieces((keyset) => resources.exportOwned(principal, keyset)));
    personalData.add('received', (principal) => inPieces((keyset) => resources.exportReceived(principal, keyset)));
  }
}
