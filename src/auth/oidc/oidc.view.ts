import { id, maybe, text, time } from '../../common/http/view-kinds.js';
import { ViewField } from '../../common/http/view.js';

export class ProviderView {
  @ViewField({ ...text, description: 'As it stands in the addresses of its routes.' })
  name: string;

  @ViewField({ ...text, description: 'For people.' })
  label: string;
}

export class ProviderListView {
  @ViewField({ view: () => ProviderView, many: true })
  items: ProviderView[];
}

export class LinkView {
  @ViewField({ type: 'string', format: 'uri', description: 'The page of the provider, for this browser.' })
  url: string;
}

/** No subject: whoever sees the list learns nothing that another service would know the person by. */
export class IdentityView {
  @ViewField(id)
  id: string;

  @ViewField({ ...text, description: 'The name of the provider.' })
  provider: string;

  @ViewField({ ...text, ...maybe, description: 'The address that the provider told when it was linked.' })
  email: string | null;

  @ViewField({ ...time, ...maybe })
  lastUsedAt: Date | null;

  @ViewField(time)
  createdAt: Date;
}

export class IdentityListView {
  @ViewField({ view: () => IdentityView, many: true })
  items: IdentityView[];
}
