import { EmailField, TokenField } from '../../../common/http/fields.js';
import { ViewField } from '../../../common/http/view.js';

export class ChangeEmail {
  @EmailField()
  email: string;
}

export class ConfirmEmail {
  @TokenField({ max: 100 })
  token: string;
}

export class ChangeEmailView {
  @ViewField({ type: 'string' })
  message: string;
}
