import { Module } from '@nestjs/common';
import { PersonalData } from '../../../src/common/events/personal-data.js';
import { Cursors, inPieces } from '../../../src/common/http/cursors.js';
import { SampleMachinesModule } from './machines.js';
import { SamplesController } from './samples.controller.js';
import { samplesSection } from './samples.export.js';
import { SamplesRepository } from './samples.repository.js';
import { SamplesService } from './samples.service.js';

/**
 * The feature that the tests of the practices act upon, so that they stay when the features of the service go:
 * `startApp({ modules: [SamplesModule] })`. It has what a feature can have; its table comes from sample.sql.
 */
@Module({
  imports: [SampleMachinesModule],
  controllers: [SamplesController],
  providers: [Cursors, SamplesRepository, SamplesService],
  exports: [SamplesRepository, SamplesService],
})
export class SamplesModule {
  constructor(personalData: PersonalData, samples: SamplesRepository) {
    personalData.add(samplesSection, (principal) =>
      inPieces((keyset) => samples.list(principal, { scope: 'owned' }, keyset)),
    );
  }
}
