import { id, maybe, text, time } from '../../common/http/view-kinds.js';
import { ViewField } from '../../common/http/view.js';

/** A key, without anything that could be used as one. */
export class ApiKeyView {
  @ViewField(id)
  id: string;

  @ViewField(text)
  name: string;

  @ViewField({ type: 'array', items: text, description: 'Permissions, each only as long as the owner has it.' })
  scopes: string[];

  @ViewField({ type: 'array', items: text, description: 'From where it counts; empty: from everywhere.' })
  addressRanges: string[];

  @ViewField({ ...text, description: 'How much it may ask for in a minute and in a day.' })
  tier: string;

  @ViewField(time)
  createdAt: Date;

  @ViewField(time)
  expiresAt: Date;

  @ViewField({ ...time, ...maybe, description: 'To about a minute.' })
  lastUsedAt: Date | null;

  @ViewField({ ...time, ...maybe })
  revokedAt: Date | null;

  @ViewField({ ...id, ...maybe, description: 'The key that replaces it.' })
  successorId: string | null;
}

const theKey = { ...text, description: 'Shown this once. Nobody can read it again.' };

export class NewApiKeyView extends ApiKeyView {
  @ViewField(theKey)
  key: string;
}

export class ApiKeyListView {
  @ViewField({ view: () => ApiKeyView, many: true })
  items: ApiKeyView[];
}

export class ServiceKeyView extends ApiKeyView {
  @ViewField(text)
  service: string;

  @ViewField({ ...id, description: 'The administrator who answers for it, and whose rights bound it.' })
  userId: string;
}

export class NewServiceKeyView extends ServiceKeyView {
  @ViewField(theKey)
  key: string;
}

export class ServiceKeyListView {
  @ViewField({ view: () => ServiceKeyView, many: true })
  items: ServiceKeyView[];
}
