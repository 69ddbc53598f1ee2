import { defineExportSection } from '../../common/events/personal-data.js';
import { ViewField } from '../../common/http/view.js';
import { id, time, text, maybe } from '../../common/http/view-kinds.js';

class ExportedEventView {
  @ViewField(id)
  id: string;

  @ViewField(time)
  at: Date;

  @ViewField(text)
  action: string;

  @ViewField(text)
  outcome: string;

  @ViewField({ ...text, ...maybe })
  targetType: string | null;

  @ViewField({ ...text, ...maybe })
  targetId: string | null;

  @ViewField({ ...text, ...maybe })
  network: string | null;
}

/** The rows name people by id alone: the trail stays when they are gone. */
export const eventsSection = defineExportSection('events', {
  view: () => ExportedEventView,
  many: true,
  description: 'What the audit trail says of the caller: the newest thousand.',
  models: [],
});
