import { EmailField, TokenField } from '../../common/fields.js';
import { ViewField } from '../../common/view.js';
import { NewPasswordField } from '../password/index.js';

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
