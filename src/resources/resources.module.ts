// Remove: npm run remove resources; it is the sample to copy. The benchmark measures it, and goes too.
// Also: bench, docs/benchmark.md.
import { Module } from '@nestjs/common';
import { Cursors, inPieces } from '../common/http/cursors.js';
import { PersonalData } from '../common/events/personal-data.js';
import { ResourcesController } from './resources.controller.js';
import { receivedSection, resourcesSection } from './resources.export.js';
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
    personalData.add(resourcesSection, (principal) => inPieces((keyset) => resources.exportOwned(principal, keyset)));
    personalData.add(receivedSection, (principal) => inPieces((keyset) => resources.exportReceived(principal, keyset)));
  }
}
