import { ViewField } from '../../../common/http/view.js';
import { TokensView } from '../../sessions/sessions.dto.js';

/** A passkey as its owner sees it: no key, no counter, no credential id. */
export class PasskeyView {
  @ViewField({ type: 'string', format: 'uuid' })
  id: string;

  @ViewField({ type: 'string' })
  name: string;

  @ViewField({ type: 'boolean', description: 'A password manager keeps copies of it.' })
  backedUp: boolean;

  @ViewField({ type: 'string', format: 'date-time', nullable: true })
  lastUsedAt: Date | null;

  @ViewField({ type: 'string', format: 'date-time' })
  createdAt: Date;
}

export class PasskeyListView {
  @ViewField({ view: () => PasskeyView, many: true })
  items: PasskeyView[];
}

export class RegisteredPasskeyView {
  @ViewField({ view: () => PasskeyView })
  passkey: PasskeyView;

  @ViewField({
    type: 'array',
    items: { type: 'string' },
    nullable: true,
    description: 'Recovery codes, shown now and never again. Null when the person has some already.',
  })
  recoveryCodes: string[] | null;

  @ViewField({
    view: () => TokensView,
    nullable: true,
    description:
      'The whole sign-in of somebody who had to enrol a factor first. Null: the access token that was sent goes on.',
  })
  tokens: TokensView | null;
}

/** The document that browsers read (WebAuthn Level 3 s5.11.1). */
export class RelatedOriginsView {
  @ViewField({ type: 'array', items: { type: 'string', format: 'uri' } })
  origins: readonly string[];
}
