import { NewPasswordField, PasswordField } from './password-policy.js';

export class ChangePassword {
  @PasswordField()
  oldPassword: string;

  @NewPasswordField()
  newPassword: string;
}
