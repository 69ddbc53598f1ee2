import { PageView } from '../common/http/cursors.js';
import { ChoiceField, EmailField, IdField, TokenField } from '../common/http/fields.js';
import { ViewField } from '../common/http/view.js';
import { shareRoles, type ShareRole } from '../resources/index.js';

export class Invite {
  @EmailField()
  email: string;

  @ChoiceField(shareRoles)
  role: ShareRole;
}

export class SentInvitationParams {
  @IdField()
  id: string;

  @IdField()
  invitationId: string;
}

export class OptOut {
  @TokenField({ max: 100 })
  token: string;
}

export class InvitedView {
  @ViewField({ type: 'string' })
  message: string;
}

export class InvitationView {
  @ViewField({ type: 'string', format: 'uuid' })
  id: string;

  @ViewField({ type: 'string', format: 'uuid' })
  resourceId: string;

  @ViewField({ type: 'string', description: 'As its owner wrote it: show it as text.' })
  title: string;

  @ViewField({ type: 'string', enum: [...shareRoles] })
  role: string;

  @ViewField({ type: 'string', format: 'date-time' })
  createdAt: Date;

  @ViewField({ type: 'string', format: 'date-time' })
  expiresAt: Date;
}

export class InvitationListView extends PageView {
  @ViewField({ view: () => InvitationView, many: true })
  items: InvitationView[];
}

export class SentInvitationView {
  @ViewField({ type: 'string', format: 'uuid' })
  id: string;

  @ViewField({ type: 'string', format: 'email', description: 'As the owner wrote it: it tells nothing of an account.' })
  email: string;

  @ViewField({ type: 'string', enum: [...shareRoles] })
  role: string;

  @ViewField({ type: 'string', format: 'date-time' })
  createdAt: Date;

  @ViewField({ type: 'string', format: 'date-time' })
  expiresAt: Date;
}

export class SentInvitationListView {
  @ViewField({ view: () => SentInvitationView, many: true })
  items: SentInvitationView[];
}
