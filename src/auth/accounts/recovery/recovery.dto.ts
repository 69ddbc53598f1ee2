import { EmailField, TokenField } from '../../../common/http/fields.js';
import { ViewField } from '../../../common/http/view.js';
import { NewPasswordField } from '../../password/password-policy.js';

export class ForgotPassword {
  @EmailField()
  email: string;
}

export class ResetPassword {
  @TokenField({ max: 100 })
  token: string;

  @NewPasswordField()
  password: string;
}

export class ForgotPasswordView {
  @ViewField({ type: 'string' })
  message: string;
}
