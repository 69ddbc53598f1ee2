import { defineExportSection } from '../../common/events/personal-data.js';
import { ViewField } from '../../common/http/view.js';
import { id, time, text, maybe } from '../../common/http/view-kinds.js';

class ExportedSessionView {
  @ViewField(id)
  id: string;

  @ViewField(time)
  createdAt: Date;

  @ViewField({ ...time, description: 'When the person last proved who they are.' })
  authenticatedAt: Date;

  @ViewField({ type: 'array', items: text })
  methods: string[];

  @ViewField(time)
  refreshedAt: Date;

  @ViewField(time)
  expiresAt: Date;

  @ViewField({ ...time, ...maybe })
  endedAt: Date | null;

  @ViewField({ ...text, ...maybe })
  endReason: string | null;

  @ViewField({ ...text, ...maybe })
  device: string | null;

  @ViewField({ ...text, ...maybe })
  place: string | null;
}

export const sessionsSection = defineExportSection('sessions', {
  view: () => ExportedSessionView,
  many: true,
  description: 'Sessions, without secrets.',
  models: ['Session'],
});
