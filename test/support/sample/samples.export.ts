import { ApiProperty } from '@nestjs/swagger';
import { defineExportSection, ExportView } from '../../../src/common/events/personal-data.js';
import { SampleView } from './samples.dto.js';

/** Of no model: the table is none of the product's schema. */
export const samplesSection = defineExportSection('samples', {
  view: () => SampleView,
  many: true,
  description: 'Own samples, with notes.',
  models: [],
});
// The view is one for all apps of a process, and most of them are started without the samples.
ApiProperty({ required: false })(ExportView.prototype, samplesSection.name);
