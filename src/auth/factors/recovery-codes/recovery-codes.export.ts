import { defineExportSection } from '../../../common/events/personal-data.js';
import { ViewField } from '../../../common/http/view.js';
import { time, maybe } from '../../../common/http/view-kinds.js';

class ExportedRecoveryCodesView {
  @ViewField({ type: 'integer' })
  left: number;

  @ViewField({ ...time, ...maybe })
  createdAt: Date | null;
}

export const recoveryCodesSection = defineExportSection('recoveryCodes', {
  view: () => ExportedRecoveryCodesView,
  description: 'How many recovery codes are left, without the codes.',
  models: ['RecoveryCode'],
});
