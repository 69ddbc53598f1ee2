import { ChoiceField } from '../../common/http/fields.js';
import { ViewField } from '../../common/http/view.js';
import { accountStates, type AccountState } from '../../users/index.js';

/** No body here has a field for a password, and unknown fields are refused (ASVS v5.0.0-6.4.6). */
export class ChangeStatus {
  @ChoiceField(accountStates)
  status: AccountState;
}

export class StatusView {
  @ViewField({ type: 'string', format: 'uuid' })
  id: string;

  @ViewField({ type: 'string', enum: [...accountStates] })
  status: AccountState;
}
