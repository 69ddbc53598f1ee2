import { defineExportSection } from '../../../common/events/personal-data.js';
import { ViewField } from '../../../common/http/view.js';
import { id, time, text, maybe } from '../../../common/http/view-kinds.js';

class ExportedPasskeyView {
  @ViewField(id)
  id: string;

  @ViewField(text)
  name: string;

  @ViewField({ type: 'boolean' })
  backedUp: boolean;

  @ViewField({ ...time, ...maybe })
  lastUsedAt: Date | null;

  @ViewField(time)
  createdAt: Date;
}

export const passkeysSection = defineExportSection('passkeys', {
  view: () => ExportedPasskeyView,
  many: true,
  description: 'Passkeys, without their keys.',
  models: ['Passkey'],
});
