import { PageQuery, PageView } from '../common/http/cursors.js';
import { ChoiceField, IdField, OptionalField, TextField } from '../common/http/fields.js';
import { ViewField } from '../common/http/view.js';
import { id, maybe, text, time } from '../common/http/view-kinds.js';

const outcomes = ['success', 'failure', 'denied'] as const;

export class ListAuditEvents extends PageQuery {
  @OptionalField()
  @TextField({ min: 1, max: 64, example: 'authn_login_fail' })
  action?: string;

  @OptionalField()
  @ChoiceField(outcomes)
  outcome?: string;

  @OptionalField()
  @IdField()
  actorId?: string;
}

class EventDetailView {
  @ViewField(text)
  name: string;

  @ViewField({ ...text, description: 'Lists as JSON.' })
  value: string;
}

class EventView {
  @ViewField(id)
  id: string;

  @ViewField(time)
  at: Date;

  @ViewField(text)
  action: string;

  @ViewField({ ...text, enum: [...outcomes] })
  outcome: string;
}

export class AuditEventView extends EventView {
  @ViewField({ ...id, ...maybe })
  actorId: string | null;

  @ViewField({ ...text, ...maybe, description: '`person` or `machine`.' })
  actorKind: string | null;

  @ViewField({ ...id, ...maybe })
  machineId: string | null;

  @ViewField({ ...id, ...maybe })
  sessionId: string | null;

  @ViewField({ ...text, ...maybe })
  targetType: string | null;

  @ViewField({ ...text, ...maybe })
  targetId: string | null;

  @ViewField({ ...id, ...maybe })
  requestId: string | null;

  @ViewField({ ...text, ...maybe })
  network: string | null;

  @ViewField({ view: () => EventDetailView, many: true })
  details: EventDetailView[];
}

export class AuditEventListView extends PageView {
  @ViewField({ view: () => AuditEventView, many: true })
  items: AuditEventView[];
}

/** An event of the caller's account. Whoever else took part stays unknown: an administrator is a person, too. */
class AccountEventView extends EventView {
  @ViewField({ type: 'boolean', description: 'False: somebody else did it, for example an administrator.' })
  byYou: boolean;

  @ViewField({ ...text, ...maybe, description: 'Where it came from, of what you did yourself.' })
  network: string | null;

  @ViewField({ ...id, ...maybe, description: 'The API key, client or certificate that acted for you.' })
  machineId: string | null;
}

export class AccountEventListView extends PageView {
  @ViewField({ view: () => AccountEventView, many: true })
  items: AccountEventView[];
}
