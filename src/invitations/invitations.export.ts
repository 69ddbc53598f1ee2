import { defineExportSection } from '../common/events/personal-data.js';
import { ViewField } from '../common/http/view.js';
import { id, time, text, maybe } from '../common/http/view-kinds.js';

class ReceivedInvitationView {
  @ViewField(id)
  id: string;

  @ViewField(id)
  resourceId: string;

  @ViewField(text)
  title: string;

  @ViewField(text)
  role: string;

  @ViewField(time)
  createdAt: Date;

  @ViewField(time)
  expiresAt: Date;
}

class ExportedSentInvitationView {
  @ViewField(id)
  id: string;

  @ViewField(id)
  resourceId: string;

  @ViewField({ type: 'string', format: 'email' })
  email: string;

  @ViewField(text)
  role: string;

  @ViewField(time)
  createdAt: Date;

  @ViewField(time)
  expiresAt: Date;
}

class ExportedInvitationsView {
  @ViewField({ view: () => ReceivedInvitationView, many: true })
  received: ReceivedInvitationView[];

  @ViewField({ view: () => ExportedSentInvitationView, many: true })
  sent: ExportedSentInvitationView[];

  @ViewField({ ...time, ...maybe, description: 'When the address asked for no more invitations.' })
  optedOutAt: Date | null;
}

export const invitationsSection = defineExportSection('invitations', {
  view: () => ExportedInvitationsView,
  description: 'Invitations to the address and to own resources that wait for an answer.',
  models: ['Invitation'],
});
