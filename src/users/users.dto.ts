import { PageView } from '../common/http/cursors.js';
import { ChoicesField, NullableField, OptionalField, PersonNameField, PhoneField } from '../common/http/fields.js';
import { roles, type Role } from '../common/access/permissions.js';
import { ViewField } from '../common/http/view.js';

export class UpdateAccount {
  @OptionalField()
  @PersonNameField()
  name?: string;

  @NullableField()
  @PhoneField()
  phone?: string | null;
}

export class ChangeRoles {
  @ChoicesField(roles)
  roles: Role[];
}

/** What people see of themselves. */
export class AccountView {
  @ViewField({ type: 'string', format: 'uuid' })
  id: string;

  @ViewField({ type: 'string', format: 'email' })
  email: string;

  @ViewField({ type: 'string' })
  name: string;

  @ViewField({ type: 'string', nullable: true })
  phone: string | null;

  @ViewField({ type: 'array', items: { type: 'string', enum: roles as Role[] } })
  roles: string[];

  @ViewField({ type: 'string', format: 'date-time' })
  createdAt: Date;
}

/** What administrators see of others: that they exist, and what they may; personal data only masked. */
export class UserView {
  @ViewField({ type: 'string', format: 'uuid' })
  id: string;

  @ViewField({ type: 'string', description: 'Masked.', example: 'a***@example.org' })
  email: string;

  @ViewField({ type: 'string', nullable: true, description: 'Masked.', example: '+44*******61' })
  phone: string | null;

  @ViewField({ type: 'array', items: { type: 'string', enum: roles as Role[] } })
  roles: string[];

  @ViewField({ type: 'string', enum: ['active', 'disabled'] })
  status: string;

  @ViewField({ type: 'string', format: 'date-time' })
  createdAt: Date;
}

export class UserListView extends PageView {
  @ViewField({ view: () => UserView, many: true })
  items: UserView[];
}
