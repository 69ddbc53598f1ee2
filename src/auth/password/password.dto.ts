import { EmailField, FlagField, OptionalField, TokenField } from '../../common/http/fields.js';
import { NewPasswordField, PasswordField } from './password-policy.js';

export class Login {
  @EmailField()
  email: string;

  @PasswordField()
  password: string;

  @OptionalField()
  @TokenField({ max: 250 })
  deviceToken?: string;

  /** The refresh token goes into a cookie that scripts cannot read, and not into the answer. */
  @OptionalField()
  @FlagField()
  inBrowser?: boolean;
}

export class ChangePassword {
  @PasswordField()
  oldPassword: string;

  @NewPasswordField()
  newPassword: string;
}
