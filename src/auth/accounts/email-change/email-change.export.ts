import { defineExportSection } from '../../../common/events/personal-data.js';
import { ViewField } from '../../../common/http/view.js';
import { time, maybe } from '../../../common/http/view-kinds.js';

class ExportedEmailChangeView {
  @ViewField({ type: 'string', format: 'email' })
  newEmail: string;

  @ViewField({ ...time, ...maybe })
  oldConfirmedAt: Date | null;

  @ViewField({ ...time, ...maybe })
  newConfirmedAt: Date | null;

  @ViewField(time)
  expiresAt: Date;

  @ViewField(time)
  createdAt: Date;
}

export const emailChangeSection = defineExportSection('emailChange', {
  view: () => ExportedEmailChangeView,
  nullable: true,
  description: 'A change of address that was asked for, without its tokens.',
  models: ['OneTimeToken'],
});
