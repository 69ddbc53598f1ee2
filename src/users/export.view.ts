import { ViewField } from '../common/view.js';
import { AccountView } from './users.dto.js';

// Every section of an export is declared here, field by field: a column that a feature adds stays inside until it is named.

const id = { type: 'string', format: 'uuid' } as const;
const time = { type: 'string', format: 'date-time' } as const;
const text = { type: 'string' } as const;
const maybe = { nullable: true } as const;

export class ExportedSessionView {
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

export class ExportedPasskeyView {
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

export class ExportedTotpView {
  @ViewField({ ...time, ...maybe })
  inUseSince: Date | null;
}

export class ExportedRecoveryCodesView {
  @ViewField({ type: 'integer' })
  left: number;

  @ViewField({ ...time, ...maybe })
  createdAt: Date | null;
}

export class ExportedEmailChangeView {
  @ViewField({ type: 'string', format: 'email' })
  newEmail: string;

  @ViewField({ ...time, ...maybe })
  oldConfirmedAt: Date | null;

  @ViewField({ ...time, ...maybe })
  newConfirmedAt: Date | null;

  @ViewField(time)
  expiresAt: Date;

  @ViewField(time)
  createdAt: Date;
}

export class ExportedShareView {
  @ViewField(id)
  userId: string;

  @ViewField(text)
  role: string;

  @ViewField(time)
  createdAt: Date;
}

export class ExportedResourceView {
  @ViewField(id)
  id: string;

  @ViewField(text)
  title: string;

  @ViewField(text)
  body: string;

  @ViewField(text)
  visibility: string;

  @ViewField({ ...text, ...maybe })
  note: string | null;

  @ViewField({ type: 'integer' })
  version: number;

  @ViewField(time)
  createdAt: Date;

  @ViewField(time)
  updatedAt: Date;

  @ViewField({ view: () => ExportedShareView, many: true })
  shares: ExportedShareView[];
}

export class ReceivedShareView {
  @ViewField(id)
  resourceId: string;

  @ViewField(text)
  role: string;

  @ViewField(time)
  createdAt: Date;
}

export class ReceivedInvitationView {
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

export class ExportedSentInvitationView {
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

export class ExportedInvitationsView {
  @ViewField({ view: () => ReceivedInvitationView, many: true })
  received: ReceivedInvitationView[];

  @ViewField({ view: () => ExportedSentInvitationView, many: true })
  sent: ExportedSentInvitationView[];

  @ViewField({ ...time, ...maybe, description: 'When the address asked for no more invitations.' })
  optedOutAt: Date | null;
}

export class ExportedEventView {
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

/** What stands in an export before the sections that features add. */
export class ExportFrame {
  @ViewField(time)
  exportedAt: Date;

  @ViewField({ view: () => AccountView })
  account: AccountView;
}

/** Everything that the service knows of the caller. */
export class ExportView extends ExportFrame {
  @ViewField({ view: () => ExportedSessionView, many: true, description: 'Sessions, without secrets.' })
  sessions?: unknown;

  @ViewField({ view: () => ExportedPasskeyView, many: true, description: 'Passkeys, without their keys.' })
  passkeys?: unknown;

  @ViewField({ view: () => ExportedTotpView, description: 'Whether an authenticator app is in use, without its secret.' })
  totp?: unknown;

  @ViewField({ view: () => ExportedRecoveryCodesView, description: 'How many recovery codes are left, without the codes.' })
  recoveryCodes?: unknown;

  @ViewField({ view: () => ExportedEmailChangeView, nullable: true, description: 'A change of address that was asked for, without its tokens.' })
  emailChange?: unknown;

  @ViewField({ view: () => ExportedResourceView, many: true, description: 'Own resources, with notes, and with whom they are shared.' })
  resources?: unknown;

  @ViewField({ view: () => ReceivedShareView, many: true, description: 'Shares of others with the caller.' })
  received?: unknown;

  @ViewField({ view: () => ExportedInvitationsView, description: 'Invitations to the address and to own resources that wait for an answer.' })
  invitations?: unknown;

  @ViewField({ view: () => ExportedEventView, many: true, description: 'What the audit trail says of the caller: the newest thousand.' })
  events?: unknown;
}
