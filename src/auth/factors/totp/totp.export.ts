import { defineExportSection } from '../../../common/events/personal-data.js';
import { ViewField } from '../../../common/http/view.js';
import { time, maybe } from '../../../common/http/view-kinds.js';

class ExportedTotpView {
  @ViewField({ ...time, ...maybe })
  inUseSince: Date | null;
}

export const totpSection = defineExportSection('totp', {
  view: () => ExportedTotpView,
  description: 'Whether an authenticator app is in use, without its secret.',
  models: ['TotpAuthenticator'],
});
